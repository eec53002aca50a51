/** What provisioned capacity absorbs of a run's work in the store, counted by nobody of the product. */
import type { StreamLook, StreamWatch } from './stream-watch.ts';

const MINUTE_MS = 60_000;

/**
 * Of operations/s that are paid for, what a run needed beyond. By looks at the streams and the oracle's reads, minute by minute of the clock: live takes of what is paid for first, the run what is left; what a minute
 * does not use is not there in the next, and of the one that is not over, or in which it began to be paid for, there is as much as has passed.
 */
export function operationsBeyond(
  paid: { readonly perSecond: number; readonly sinceMs: number },
  {
    replay,
    live,
    reads,
    run: { endedMs, meteredMs },
  }: {
    readonly replay: StreamWatch;
    readonly live: StreamWatch;
    readonly reads: number;
    readonly run: { readonly endedMs: number; readonly meteredMs: number };
  },
): number {
  const [first, last] = [replay.looks[0], replay.looks.at(-1)] as [StreamLook, StreamLook];
  const [liveFirst, liveLast] = [live.looks[0], live.looks.at(-1)] as [StreamLook, StreamLook];
  const livePerMs = (liveLast.acknowledged - liveFirst.acknowledged) / (liveLast.atMs - liveFirst.atMs);
  const appliedAtMs = replay.looks.find(({ acknowledged }) => acknowledged === last.acknowledged)?.atMs ?? 0;
  const rowsBefore = (ms: number) =>
    (replay.looks.findLast(({ atMs }) => atMs < ms) ?? first).acknowledged - first.acknowledged;
  // The proof begins when all is applied, and goes evenly.
  const readsBefore = (ms: number) =>
    reads * Math.min(1, Math.max(0, (ms - appliedAtMs) / (endedMs - appliedAtMs)));
  const usedBefore = (ms: number) => rowsBefore(ms) + readsBefore(ms);
  let beyond = 0;
  for (let from = first.atMs - (first.atMs % MINUTE_MS); from < meteredMs; from += MINUTE_MS) {
    const to = Math.min(from + MINUTE_MS, meteredMs);
    const left = (paid.perSecond / 1_000 - livePerMs) * (to - Math.max(from, paid.sinceMs));
    beyond += Math.max(0, usedBefore(to) - usedBefore(from) - left);
  }
  return beyond;
}
