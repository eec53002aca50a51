/**
 * How many subwindows one lease covers.
 *
 * A lease should be about two seconds of work: long enough that claiming costs nothing, short enough that little is repeated
 * after a crash and the lanes walk the window side by side. So a run takes subwindows until it holds the events of two seconds at
 * the lease's rate. Where the source is slower than that rate it would be more than two seconds, and a lane of a few such runs could keep but a few
 * workers busy: so it is never more than one part of what is left of the lane, with one for each lease that may read it (guided self-scheduling,
 * Polychronopoulos & Kuck 1987). Empty stretches hold none: a run swallows them by the thousand, and six months of ten-second
 * subwindows need no lease per empty night.
 */
import { type LaneShape, rangeOf } from './lane.ts';

export const RUN_SECONDS = 2;
/** However fast the lease: what a crash may have to repeat. */
export const MAX_EVENTS_PER_RUN = 100_000;
/** However little is left: a part is worth claiming. */
const LEAST_EVENTS_PER_PART = 5_000;
/** However empty the stretch: a step of the progress bar. */
export const MAX_SUBWINDOWS_PER_RUN = 50_000;
/** Runs a lane is cut into while its source has not been counted. */
const RUNS_PER_UNCOUNTED_LANE = 1_000;

export interface RunSizing {
  readonly lane: LaneShape & { readonly subwindows: number };
  readonly fromIndex: number;
  /** What the lease will be allowed, events/s. */
  readonly eventsPerSecond: number;
  /** Leases that may read the lane at once, at least 1. */
  readonly leases: number;
  /** Events of a range of the lane's source; null while it has not been counted. */
  readonly expectedEvents: (range: { readonly from: number; readonly to: number }) => number | null;
}

/** The end of the run that begins at `fromIndex`: always at least one subwindow further, never past the lane. */
export function runEnd({ lane, fromIndex, eventsPerSecond, leases, expectedEvents }: RunSizing): number {
  const furthest = Math.min(lane.subwindows, fromIndex + MAX_SUBWINDOWS_PER_RUN);
  const eventsUntil = (toIndex: number) => expectedEvents(rangeOf(lane, fromIndex, toIndex));

  if (eventsUntil(fromIndex + 1) === null) {
    return Math.min(furthest, fromIndex + Math.max(1, Math.ceil(lane.subwindows / RUNS_PER_UNCOUNTED_LANE)));
  }
  const left = eventsUntil(lane.subwindows) ?? Number.POSITIVE_INFINITY;
  const part = Math.max(LEAST_EVENTS_PER_PART, left / leases);
  const budget = Math.min(MAX_EVENTS_PER_RUN, eventsPerSecond * RUN_SECONDS, part);
  // Invariant: [fromIndex, fits) is within the budget or a single subwindow; [fromIndex, beyond) is not.
  let fits = fromIndex + 1;
  let beyond = furthest + 1;
  while (beyond - fits > 1) {
    const middle = Math.floor((fits + beyond) / 2);
    if ((eventsUntil(middle) ?? Number.POSITIVE_INFINITY) <= budget) fits = middle;
    else beyond = middle;
  }
  return fits;
}
