import type { Progress } from '../api/backfill.ts';
import type { EventRange } from '../quote/event-range.ts';
import type { BackfillState } from './state-machine.ts';

export interface ProgressNumbers {
  readonly state: BackfillState;
  readonly subwindowsTotal: number;
  readonly subwindowsDone: number;
  /** Counted; null: its sources are not. */
  readonly eventsExpected: number | null;
  /** While they are not counted; null: nor estimated. */
  readonly eventsEstimated: EventRange | null;
  /** Of those expected; what is read again is done when it is handled again. Null: the store is not ours. */
  readonly eventsDone: number | null;
  /** In all readings. */
  readonly eventsHandled: number;
  /** Over the last seconds; null: unknown. */
  readonly appliedEventsPerSecond: number | null;
  /** What the governor gives it from now on. */
  readonly effectiveEventsPerSecond: number;
  /** Since it was started, holds and all; null: not started. */
  readonly runSeconds: number | null;
}

/**
 * By events where they are counted, or at least estimated (subwindows of the night are empty), by subwindows otherwise; 100 only when every subwindow
 * is applied. By subwindows, too, where nobody here knows what was applied.
 */
export function percentDone(numbers: ProgressNumbers): number {
  if (numbers.subwindowsDone === numbers.subwindowsTotal) return 100;
  const bySubwindows = numbers.subwindowsDone / numbers.subwindowsTotal;
  const events = numbers.eventsExpected ?? numbers.eventsEstimated?.likely;
  const share = events && numbers.eventsDone !== null ? numbers.eventsDone / events : bySubwindows;
  return Math.min(99.9, Math.floor(share * 1000) / 10);
}

/** A mean over less than this says how it began, not how it goes. */
const TELLING_SECONDS = 10;

/**
 * What is left at the rate of the last seconds. `low` to `high` is between a quarter faster and half as fast, and also between the last seconds and the
 * mean of the whole run with half as much to spare: what goes in fits and starts (pauses, a live load that comes and goes) will go on so. Where the events
 * are estimated, `low` is of the fewest and `high` of the most.
 * Null while nothing moves, may move or is known.
 */
export function etaSeconds(numbers: ProgressNumbers): Progress['etaSeconds'] {
  const { eventsExpected, eventsEstimated, eventsDone: done, appliedEventsPerSecond: recent } = numbers;
  const events =
    eventsExpected === null
      ? eventsEstimated
      : { low: eventsExpected, likely: eventsExpected, high: eventsExpected };
  // What is still being applied of a replay that is stopped says nothing of when it goes on.
  if (numbers.state !== 'running' || events === null || !recent || numbers.effectiveEventsPerSecond <= 0)
    return null;
  if (done === null) return null;
  const left = (all: number) => Math.max(0, all - done);
  const { runSeconds, eventsHandled } = numbers;
  const mean = (runSeconds ?? 0) >= TELLING_SECONDS ? eventsHandled / (runSeconds as number) : recent;
  const rounded = (seconds: number) => Math.round(seconds * 10) / 10;
  const [slower, faster] = [Math.min(recent, mean), Math.max(recent, mean)];
  // A run of which nothing has been applied yet has no mean to speak of.
  const high = Math.max(2 / recent, slower > 0 ? 1.5 / slower : 0);
  return {
    low: rounded((left(events.low) * 0.8) / faster),
    likely: rounded(left(events.likely) / recent),
    high: rounded(left(events.high) * high),
  };
}
