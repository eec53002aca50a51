import { eventsEstimated } from '@spillway/shared/backfill/events-estimated';
import { isFinal } from '@spillway/shared/backfill/state-machine';
import type { EventRange } from '@spillway/shared/quote/event-range';
import { eventsDone } from './events-done.ts';
import type { BackfillRow } from './transition.ts';

export interface EstimatedRecord {
  readonly row: BackfillRow;
  /** Done, or under way. */
  readonly subwindowsHandedOut: number;
  /** Its pipeline's store is not ours: nobody here knows what was applied, and nothing of it is proved. */
  readonly external: boolean;
}

/** Null: they are counted, it has ended, or nothing is known of them. */
export function estimatedEvents({ row, subwindowsHandedOut, external }: EstimatedRecord): EventRange | null {
  const estimate = row.estimate?.events ?? null;
  if (row.eventsExpected !== null || estimate === null || isFinal(row.state)) return null;
  return eventsEstimated({
    estimate,
    eventsDone: eventsDone(row, external),
    subwindowsTotal: row.subwindowsTotal,
    subwindowsDone: row.subwindowsDone,
    subwindowsHandedOut,
  });
}
