/**
 * What the host of a virtual machine took of its cores: while it runs others, nothing here does, and whatever waits is as late. It comes in bursts of a
 * tenth of a second and more, which no priority helps against, so a figure of milliseconds is told with it.
 */
import { readFileSync } from 'node:fs';

/** Of a line of /proc/stat, after the name of the core: user, nice, system, idle, iowait, irq, softirq, steal. */
const STEAL = 7;
/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** Since the machine began, ms of all cores together, in steps of 10; null where the system does not say (no Linux). */
function stolenSinceBoot(): number | null {
  try {
    const ticks = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ')[STEAL];
    return ticks === undefined ? null : Number(ticks) * TICK_MS;
  } catch {
    return null;
  }
}

/** From now on: ask for what was stolen since, core-ms; null where nobody can say. */
export function watchStolenTime(): () => number | null {
  const before = stolenSinceBoot();
  return () => {
    const now = stolenSinceBoot();
    return before === null || now === null ? null : now - before;
  };
}
