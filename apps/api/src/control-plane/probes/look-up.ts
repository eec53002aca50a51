/**
 * Names of hosts, two at a time.
 *
 * `dns.lookup` cannot be called off: it keeps one of the four threads of this process until its servers have answered or been given
 * up (half a minute, when they are dead), long after the probe has. The other threads are for files, and for everybody else's names. So
 * look-ups of probes have two places; whoever waits for one, or for an answer, ends by the signal, and the place is free when the
 * look-up has really ended.
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

const AT_ONCE_MAX = 2;

let underWay = 0;
/** In the order in which they came; each is called when a place is its own. */
const waiting = new Set<() => void>();

/** Every address of a name. Rejects with the signal's reason, or whatever the look-up says. */
export async function lookUp(name: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  signal.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const end = () => ended.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    await place(ended.promise);
    const answer = lookup(name, { all: true }).finally(giveBack);
    return await Promise.race([answer, ended.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function place(ended: Promise<never>): Promise<void> {
  if (underWay < AT_ONCE_MAX) {
    underWay += 1;
    return;
  }
  const { promise: had, resolve } = Promise.withResolvers<void>();
  waiting.add(resolve);
  try {
    await Promise.race([had, ended]);
  } catch (error) {
    // Given a place in the same step in which it ended: another has it.
    if (!waiting.delete(resolve)) giveBack();
    throw error;
  }
}

/** A place goes from hand to hand; only when nobody waits is there one more. */
function giveBack(): void {
  const [next] = waiting;
  if (next === undefined) {
    underWay -= 1;
    return;
  }
  waiting.delete(next);
  next();
}
