import type { Progress } from '../api/backfill.ts';
import type { BackfillState } from './state-machine.ts';

export interface ProgressNumbers {
  readonly state: BackfillState;
  readonly subwindowsTotal: number;
  readonly subwindowsDone: number;
  readonly eventsExpected: number | null;
  readonly eventsApplied: number;
  readonly eventsDuplicate: number;
  /** Over the last seconds; null: unknown. */
  readonly appliedEventsPerSecond: number | null;
  /** What the governor gives it from now on. */
  readonly effectiveEventsPerSecond: number;
}

/** By events while they are known (subwindows of the night are empty), by subwindows otherwise; 100 only when every subwindow is applied. */
export function percentDone(numbers: ProgressNumbers): number {
  if (numbers.subwindowsDone === numbers.subwindowsTotal) return 100;
  const bySubwindows = numbers.subwindowsDone / numbers.subwindowsTotal;
  const share = numbers.eventsExpected
    ? (numbers.eventsApplied + numbers.eventsDuplicate) / numbers.eventsExpected
    : bySubwindows;
  return Math.min(99.9, Math.floor(share * 1000) / 10);
}

/** What is left at the rate of the last seconds, a quarter faster, and half as fast. Null while nothing moves, may move or is known. */
export function etaSeconds(numbers: ProgressNumbers): Progress['etaSeconds'] {
  const { eventsExpected, appliedEventsPerSecond } = numbers;
  if (numbers.state !== 'running' || eventsExpected === null) return null;
  // What is still being applied of a replay that is stopped says nothing of when it goes on.
  if (!appliedEventsPerSecond || numbers.effectiveEventsPerSecond <= 0) return null;
  const left = Math.max(0, eventsExpected - numbers.eventsApplied - numbers.eventsDuplicate);
  const likely = left / appliedEventsPerSecond;
  const rounded = (seconds: number) => Math.round(seconds * 10) / 10;
  return { low: rounded(likely * 0.8), likely: rounded(likely), high: rounded(likely * 2) };
}
