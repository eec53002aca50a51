/**
 * What keeps the replay's stream under its high-water mark: what leaves it, plus what room there is, spread over two seconds. Half
 * empty it limits nothing. The reader's own gate holds without this: the ceiling makes the approach smooth and says why.
 */
import type { Ceiling } from '../api/backfill.ts';
import type { GuardInputs } from './guard.ts';

const FREE_PART = 0.5;
/** Steered for: a little below the mark, so that the gate need not close. */
const AIM_PART = 0.9;
const OVER_SECONDS = 2;

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
  if (streamLength <= highWaterMark * FREE_PART)
    return { reason, eventsPerSecond: null, detail: `${streamLength} of ${highWaterMark} entries` };
  const room = (highWaterMark * AIM_PART - streamLength) / OVER_SECONDS;
  return {
    reason,
    eventsPerSecond: Math.max(0, (appliedEventsPerSecond ?? 0) + room),
    detail: `${streamLength} of ${highWaterMark} entries wait to be applied`,
  };
}
