/**
 * Names of hosts, a few at a time.
 *
 * `dns.lookup` cannot be called off: it keeps one of the four threads of this process until its servers have answered or been given
 * up (half a minute, when they are dead), long after whoever asked has. The other threads are for files, and for everybody else's names.
 * So look-ups of what users name have a few places, and each kind of request its own; whoever waits for one, or for an answer, ends by
 * the signal, and the place is free when the look-up has really ended.
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

/** Every address of a name. Rejects with the signal's reason, or whatever the look-up says. */
export type LookUp = (name: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export function lookUps(atOnceMax: number): LookUp {
  let underWay = 0;
  /** In the order in which they came; each is called when a place is its own. */
  const waiting = new Set<() => void>();

  async function place(ended: Promise<never>): Promise<void> {
    if (underWay < atOnceMax) {
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

  return async (name, signal) => {
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
  };
}
