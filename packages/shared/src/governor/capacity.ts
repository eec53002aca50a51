/**
 * What a pipeline can apply, events/s: measured by a short calibration, then refined by what really runs.
 *
 * The applier reports applied ÷ busy (the utilisation law): the rate it would reach with no idle time. Small batches look slow,
 * so at a small part of the capacity the estimate is too low. Hence an estimate above the known figure is believed at any load
 * (a calibration on a busy machine is corrected), one below it only while at least half of the known capacity is really in
 * use. A step is at most 25 % up or 5 % down, one in five seconds.
 *
 * A capacity set by hand stays, and what is measured goes on being learned beside it. What nobody watches is sized by the lower of
 * the two: the floor, which goes before what protects live, and the steps the adaptive rate begins with. A figure that is too high
 * makes no store faster; it may only lift the limits that the signals look behind.
 */

/** What all explicit rates together may use while nobody knows what the pipeline can take, events/s. */
export const UNKNOWN_CAPACITY_EVENTS_PER_SECOND = 500;

export interface CapacityKnown {
  readonly measuredEventsPerSecond: number | null;
  readonly setByHand: boolean;
}

export interface CapacityObservation {
  readonly calibratedEventsPerSecond: number | null;
  readonly estimateEventsPerSecond: number | null;
  /** Applied over the last second or so, live and replay. */
  readonly appliedEventsPerSecond: number | null;
  readonly msSinceLastChange: number;
}

const UP = { weight: 0.5, largestStep: 0.25 };
const DOWN = { weight: 0.1, largestStep: 0.05 };
/** Smaller changes are noise, and not worth a row version. */
const SMALLEST_STEP = 0.01;
const STEP_MS = 5_000;

/** What floor and first steps are parts of; null: nobody knows. */
export function sizingCapacity(
  capacityEventsPerSecond: number | null,
  measuredEventsPerSecond: number | null,
): number | null {
  return capacityEventsPerSecond === null || measuredEventsPerSecond === null
    ? capacityEventsPerSecond
    : Math.min(capacityEventsPerSecond, measuredEventsPerSecond);
}

/** What is measured from now on, or null when it stays as it is. */
export function refineCapacity(
  known: CapacityKnown,
  seen: CapacityObservation,
): { eventsPerSecond: number; origin: 'calibrated' | 'refined' } | null {
  const current = known.measuredEventsPerSecond;
  if (current === null) return firstMeasured(known, seen);
  if (!positive(seen.estimateEventsPerSecond) || !positive(seen.appliedEventsPerSecond)) return null;
  if (seen.msSinceLastChange < STEP_MS) return null;
  const rises = seen.estimateEventsPerSecond > current;
  if (!rises && seen.appliedEventsPerSecond * 2 < current) return null;
  const { weight, largestStep } = rises ? UP : DOWN;
  const wanted = current + weight * (seen.estimateEventsPerSecond - current);
  const refined = Math.min(current * (1 + largestStep), Math.max(current * (1 - largestStep), wanted));
  if (Math.abs(refined - current) < current * SMALLEST_STEP) return null;
  return { eventsPerSecond: Math.max(1, Math.round(refined)), origin: 'refined' };
}

/** Beside one set by hand the first estimate that is really in use does, too. */
function firstMeasured(
  { setByHand }: CapacityKnown,
  { calibratedEventsPerSecond, estimateEventsPerSecond, appliedEventsPerSecond }: CapacityObservation,
): ReturnType<typeof refineCapacity> {
  if (positive(calibratedEventsPerSecond))
    return { eventsPerSecond: Math.max(1, Math.round(calibratedEventsPerSecond)), origin: 'calibrated' };
  if (!setByHand || !positive(estimateEventsPerSecond) || !positive(appliedEventsPerSecond)) return null;
  return appliedEventsPerSecond * 2 < estimateEventsPerSecond
    ? null
    : { eventsPerSecond: Math.max(1, Math.round(estimateEventsPerSecond)), origin: 'refined' };
}

function positive(value: number | null): value is number {
  return value !== null && Number.isFinite(value) && value > 0;
}
