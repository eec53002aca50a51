/**
 * AIMD on the signals: how fast replay may go as far as anyone can tell from what it does to live.
 *
 *     slow start   rate ← rate · 2           each period, up to the rate at which things last went well
 *     avoidance    rate ← rate + step        each period, step = 2 % of capacity
 *     breach       rate ← used · 0.7         at once, then no change for a cooldown of one period
 *     hard stop    frozen; then half the last good rate, slow start from there
 *
 * It grows only while the signals are well *and the rate is really used*: a limit that nobody tests says nothing about what lies
 * beyond it (app-limited). A cut starts from what was used, not from a limit far above it, so that it always bites.
 *
 * After Chiu & Jain 1989 (additive increase, multiplicative decrease converges to fairness) and RFC 5681 (slow start, threshold).
 */
import type { Health } from './signals.ts';

export interface AdaptiveMemory {
  readonly eventsPerSecond: number;
  readonly phase: 'slow_start' | 'avoidance' | 'frozen';
  /** Slow start ends here, events/s. */
  readonly threshold: number;
  /** The most that was used while all was well; what a hard stop comes back to half of. */
  readonly lastGood: number;
  /** When the rate last changed, ms. */
  readonly changedMs: number;
}

export interface AdaptiveInputs {
  /** Monotonic, ms. */
  readonly nowMs: number;
  readonly health: Health;
  readonly hardStop: boolean;
  readonly capacityEventsPerSecond: number;
  /** What replay really published over the last second; null when nobody knows. */
  readonly usedEventsPerSecond: number | null;
}

export const PERIOD_MS = 1_000;
const SLOW_START_PERIOD_MS = 500;
const FIRST_PART = 0.1;
const STEP_PART = 0.02;
const CUT = 0.7;
/** A rate of which less than this part is used is not tested. */
const USED_PART = 0.7;
/** Of capacity: below it a cut stops, so that there is something to grow from. The floor may be lower or higher. */
const SMALLEST_PART = 0.005;

/** The memory from now on; null while no signal has a target. */
export function adapt(inputs: AdaptiveInputs, before: AdaptiveMemory | null): AdaptiveMemory | null {
  const { nowMs, health, hardStop, capacityEventsPerSecond: capacity, usedEventsPerSecond: used } = inputs;
  if (health === 'off') return null;
  const known = before ?? first(inputs);
  if (hardStop) return known.phase === 'frozen' ? known : { ...known, phase: 'frozen', changedMs: nowMs };
  if (known.phase === 'frozen')
    return {
      ...known,
      phase: 'slow_start',
      eventsPerSecond: Math.max(known.lastGood / 2, capacity * SMALLEST_PART),
      threshold: known.lastGood,
      changedMs: nowMs,
    };
  // A clock that leapt back must not stop the growth for ever.
  const sinceMs = nowMs < known.changedMs ? Number.POSITIVE_INFINITY : nowMs - known.changedMs;
  if (health === 'breached') return sinceMs < PERIOD_MS ? known : cut(known, inputs);
  if (health === 'near') return known.phase === 'slow_start' ? { ...known, phase: 'avoidance' } : known;

  const inUse = used ?? 0;
  const lastGood = Math.min(capacity, Math.max(inUse, Math.min(known.lastGood, known.eventsPerSecond)));
  const tested = inUse >= known.eventsPerSecond * USED_PART;
  const periodMs = known.phase === 'slow_start' ? SLOW_START_PERIOD_MS : PERIOD_MS;
  if (!tested || sinceMs < periodMs || known.eventsPerSecond >= capacity) return { ...known, lastGood };
  return { ...grown(known, capacity), lastGood, changedMs: nowMs };
}

function first({ nowMs, capacityEventsPerSecond: capacity }: AdaptiveInputs): AdaptiveMemory {
  return {
    eventsPerSecond: capacity * FIRST_PART,
    phase: 'slow_start',
    threshold: capacity,
    lastGood: capacity * FIRST_PART,
    changedMs: nowMs,
  };
}

function cut(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory {
  const { nowMs, capacityEventsPerSecond: capacity, usedEventsPerSecond: used } = inputs;
  const from = used === null || used <= 0 ? known.eventsPerSecond : Math.min(used, known.eventsPerSecond);
  const eventsPerSecond = Math.max(from * CUT, capacity * SMALLEST_PART);
  return {
    eventsPerSecond,
    phase: 'avoidance',
    threshold: eventsPerSecond,
    lastGood: Math.min(known.lastGood, eventsPerSecond),
    changedMs: nowMs,
  };
}

function grown(
  known: AdaptiveMemory,
  capacity: number,
): Pick<AdaptiveMemory, 'eventsPerSecond' | 'phase' | 'threshold'> {
  const { eventsPerSecond, threshold } = known;
  if (known.phase === 'slow_start' && eventsPerSecond < threshold)
    return { eventsPerSecond: Math.min(capacity, threshold, eventsPerSecond * 2), phase: 'slow_start', threshold };
  return {
    eventsPerSecond: Math.min(capacity, eventsPerSecond + capacity * STEP_PART),
    phase: 'avoidance',
    threshold,
  };
}
