import { writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * Live before replay, on the machine's cores too: where everything shares them, whoever answers operators goes first, then who
 * applies live events, and the replay reader takes what is left (not less: at 15 it came too late to its own rate, and lost 14 % of
 * it). Niceness, 0 to 19; a user may always raise it.
 *
 * An embedded store is as nice as who applies to it, both lanes of it. Beside servers, which are not ours to slow down, who applies live claims as much as
 * they do, and who applies replay alone as little as its reader.
 */
export const NICENESS = { operators: 0, store: 2, besideServers: 0, replay: 8 } as const;

/**
 * Lowers a process's claim to the cores, 0 (none) to 19. Best effort: where it cannot be done, everything works, only not in this order.
 *
 * On Linux a process with a session of its own may also be a scheduling group of its own, and then only the group's niceness counts
 * against others.
 */
export function beNice(pid: number, niceness: number): void {
  if (niceness !== 0) setNiceness(pid, niceness);
}

/** Of this process, which has a session of its own: nicer while it applies replay alone, and as it was begun otherwise. */
export function beNicerWithReplay(): (lanes: readonly ('live' | 'replay')[]) => void {
  const begun = getPriority();
  let now = begun;
  return (lanes) => {
    const wanted =
      lanes.includes('replay') && !lanes.includes('live') ? Math.max(begun, NICENESS.replay) : begun;
    if (wanted !== now) setNiceness(process.pid, wanted);
    now = wanted;
  };
}

/** A group's niceness anybody may take back; a process's own only who has the right. */
function setNiceness(pid: number, niceness: number): void {
  for (const set of [
    () => setPriority(pid, niceness),
    () => process.platform === 'linux' && writeFileSync(`/proc/${pid}/autogroup`, String(niceness)),
  ]) {
    try {
      set();
    } catch {
      // Gone already, a kernel without groups, or no right.
    }
  }
}
