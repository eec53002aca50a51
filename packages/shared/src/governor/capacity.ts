/**
 * What a pipeline can apply, events/s: measured by a short calibration, then refined by what really runs.
 *
 * The applier reports applied ÷ busy (the utilisation law): the rate it would reach with no idle time. At a small part of the
 * capacity that says little (small batches look slow), so an estimate counts only while at least half of the known
 * capacity is really in use: what nobody uses is not re-estimated. Estimates move the figure slowly, by at most 5 % a step and
 * one step in five seconds. What was set by hand stays.
 */
export interface CapacityKnown {
  readonly eventsPerSecond: number | null;
  readonly origin: 'unknown' | 'calibrated' | 'refined' | 'set_by_hand';
}

export interface CapacityObservation {
  readonly calibratedEventsPerSecond: number | null;
  readonly estimateEventsPerSecond: number | null;
  /** Applied over the last second or so, live and replay. */
  readonly appliedEventsPerSecond: number | null;
  readonly msSinceLastChange: number;
}

const WEIGHT = 0.1;
const LARGEST_STEP = 0.05;
/** Smaller changes are noise, and not worth a row version. */
const SMALLEST_STEP = 0.01;
const STEP_MS = 5_000;

/** The capacity from now on, or null when it stays as it is. */
export function refineCapacity(
  known: CapacityKnown,
  seen: CapacityObservation,
): { eventsPerSecond: number; origin: 'calibrated' | 'refined' } | null {
  if (known.origin === 'set_by_hand') return null;
  const current = known.eventsPerSecond;
  if (current === null) {
    return positive(seen.calibratedEventsPerSecond)
      ? { eventsPerSecond: Math.round(seen.calibratedEventsPerSecond), origin: 'calibrated' }
      : null;
  }
  if (!positive(seen.estimateEventsPerSecond) || !positive(seen.appliedEventsPerSecond)) return null;
  if (seen.appliedEventsPerSecond * 2 < current || seen.msSinceLastChange < STEP_MS) return null;
  const wanted = current + WEIGHT * (seen.estimateEventsPerSecond - current);
  const refined = Math.min(current * (1 + LARGEST_STEP), Math.max(current * (1 - LARGEST_STEP), wanted));
  if (Math.abs(refined - current) < current * SMALLEST_STEP) return null;
  return { eventsPerSecond: Math.max(1, Math.round(refined)), origin: 'refined' };
}

function positive(value: number | null): value is number {
  return value !== null && Number.isFinite(value) && value > 0;
}
