import { eventsEstimated } from '@spillway/shared/backfill/events-estimated';
import { isFinal } from '@spillway/shared/backfill/state-machine';
import type { EventRange } from '@spillway/shared/quote/event-range';
import type { BackfillRow } from './transition.ts';

export interface EstimatedRecord {
  readonly row: BackfillRow;
  /** Done, or under way. */
  readonly subwindowsHandedOut: number;
  /** Published by runs that are there no more: of subwindows that are read again. */
  readonly eventsAgain: number;
}

/** Null: they are counted, it has ended, or nothing is known of them. */
export function estimatedEvents({
  row,
  subwindowsHandedOut,
  eventsAgain,
}: EstimatedRecord): EventRange | null {
  const estimate = row.estimate?.events ?? null;
  if (row.eventsExpected !== null || estimate === null || isFinal(row.state)) return null;
  return eventsEstimated({
    estimate,
    eventsDone: Math.max(0, row.eventsApplied + row.eventsDuplicate + row.eventsQuarantined - eventsAgain),
    subwindowsTotal: row.subwindowsTotal,
    subwindowsDone: row.subwindowsDone,
    subwindowsHandedOut,
  });
}
