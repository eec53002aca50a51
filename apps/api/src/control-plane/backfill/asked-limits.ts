import type { AskedLimits } from '@spillway/shared/backfill/asked-rate';
import type { BackfillRow } from './transition.ts';

/** What its operator asked for, as the formulas take it. */
export function askedLimitsOf({
  eventsPerSecondLimit,
  shareLimit,
}: Pick<BackfillRow, 'eventsPerSecondLimit' | 'shareLimit'>): AskedLimits {
  return { eventsPerSecond: eventsPerSecondLimit, share: shareLimit };
}
