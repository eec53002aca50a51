/**
 * What keeps the replay's stream under its high-water mark: what leaves it, plus what room there is, spread over two seconds.
 *
 *     ceiling = applied + (0.9 · mark − length) / 2 s · 0.4 · mark / (length − 0.5 · mark)
 *
 * Half empty it limits nothing, and because the last factor falls from infinity to one on the way to 0.9, it sets in without a jump.
 * The reader's own gate holds without this: the ceiling makes the approach smooth and says why.
 *
 * A stream that holds a second of what is applied is full and empty again between two looks. The shorter it is in time, the longer
 * the mean of what was seen: seconds = 2 · applied / mark, at most three.
 */
import type { Ceiling } from '../api/backfill.ts';
import type { GuardInputs } from './guard.ts';

const FREE_PART = 0.5;
/** Steered for: a little below the mark, so that the gate need not close. */
const AIM_PART = 0.9;
const OVER_SECONDS = 2;

const MEAN_PART = 2;
const LONGEST_MEAN_SECONDS = 3;

/** The mean length, entries, and when it was reckoned, ms; null while it is not known. */
export type StreamMemory = { readonly length: number; readonly atMs: number } | null;

export function followStream({ nowMs, replay }: GuardInputs, before: StreamMemory): StreamMemory {
  const { streamLength, highWaterMark, appliedEventsPerSecond } = replay;
  if (streamLength === null) return null;
  const sinceSeconds = before === null ? 0 : (nowMs - before.atMs) / 1000;
  const overSeconds = Math.min(
    LONGEST_MEAN_SECONDS,
    (MEAN_PART * (appliedEventsPerSecond ?? 0)) / highWaterMark,
  );
  // A clock that leapt back says nothing about how long it was; one that leapt ahead forgets all there was.
  if (before === null || overSeconds <= 0 || sinceSeconds < 0) return { length: streamLength, atMs: nowMs };
  const weight = 1 - Math.exp(-sinceSeconds / overSeconds);
  return { length: before.length + weight * (streamLength - before.length), atMs: nowMs };
}

export function streamCeiling({
  streamLength,
  highWaterMark,
  appliedEventsPerSecond,
}: GuardInputs['replay']): Ceiling {
  const reason = 'stream';
  if (streamLength === null)
    return {
      reason,
      eventsPerSecond: null,
      detail: "the stream's length is not known; the reader's gate holds",
    };
  const entries = Math.round(streamLength);
  if (streamLength <= highWaterMark * FREE_PART)
    return { reason, eventsPerSecond: null, detail: `${entries} of ${highWaterMark} entries` };
  const room = (highWaterMark * AIM_PART - streamLength) / OVER_SECONDS;
  const ease = ((AIM_PART - FREE_PART) * highWaterMark) / (streamLength - FREE_PART * highWaterMark);
  return {
    reason,
    eventsPerSecond: Math.max(0, (appliedEventsPerSecond ?? 0) + room * ease),
    detail: `${entries} of ${highWaterMark} entries wait to be applied`,
  };
}
