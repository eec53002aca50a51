/**
 * AIMD on the signals: how fast replay may go as far as anyone can tell from what it does to live.
 *
 *     slow start   rate ← rate · 2                       every 500 ms, up to the threshold
 *     avoidance    rate ← rate · 1.1                     every second, up to the threshold
 *                  rate ← rate + 2 % of capacity         every second beyond it (never more than 5 % of the rate), once nothing
 *                                                        has broken for five seconds
 *     breach       rate ← used · 0.7                     at once; if it lasts, · 0.5, then · 0.3, one cut in each cooldown
 *     hard stop    frozen; then half the last good rate, slow start from there
 *
 * The threshold is 95 % of what was used when things broke: known ground is regained quickly, and beyond it is felt for slowly, so
 * that the rate rests below its limit instead of sawing across it. A cooldown is longer than the signals look back (two seconds)
 * and than they take to arrive: an event that is over is never paid for twice. It holds after a thaw, too, when the signals still
 * tell of the stall.
 *
 * It grows only while the signals are well *and the rate is really used*: a limit that nobody tests says nothing about what lies
 * beyond it (app-limited). A cut starts from what was used, not from a limit far above it, so that it always bites; that it becomes
 * deeper is for replayed events that cost hundreds of times what was believed.
 *
 * After Chiu & Jain 1989 (additive increase, multiplicative decrease converges to fairness), RFC 5681 (slow start, threshold) and
 * RFC 7661 (in slow start, half used is used: what is measured lags behind what was doubled).
 */
import type { Health } from './signals.ts';

export interface AdaptiveMemory {
  readonly eventsPerSecond: number;
  readonly phase: 'slow_start' | 'avoidance' | 'frozen';
  /** Slow start ends here, and slow growth begins, events/s. */
  readonly threshold: number;
  /** The most that was used while all was well; what a hard stop comes back to half of. */
  readonly lastGood: number;
  /** When the rate last changed, ms. */
  readonly changedMs: number;
  /** The last cut or thaw, ms: the cooldown runs from here. Null: there was none. */
  readonly cutMs: number | null;
  /** Cuts since the signals were last not breached. */
  readonly cuts: number;
}

export interface AdaptiveInputs {
  /** Monotonic, ms. */
  readonly nowMs: number;
  readonly health: Health;
  /** Nothing may be concluded from what is measured now. */
  readonly hardStop: boolean;
  readonly capacityEventsPerSecond: number;
  /** What replay really published over the last second; null when nobody knows. */
  readonly usedEventsPerSecond: number | null;
}

export const COOLDOWN_MS = 2_500;
const SLOW_START_PERIOD_MS = 500;
const AVOIDANCE_PERIOD_MS = 1_000;
const PROBE_AFTER_MS = 5_000;

const FIRST_PART = 0.02;
const REGAIN = 1.1;
const STEP_PART = { ofCapacity: 0.02, ofRate: 0.05 };
const CUTS = [0.7, 0.5, 0.3] as const;
const THRESHOLD_PART = 0.95;
/** A rate of which less than this part is used is not tested. */
const USED_PART = { slow_start: 0.4, avoidance: 0.7 };
/** Of capacity: below it a cut stops, so that there is something to grow from. The floor may be lower or higher. */
const SMALLEST_PART = 0.0005;

/** The memory from now on; null while no signal has a target. */
export function adapt(inputs: AdaptiveInputs, before: AdaptiveMemory | null): AdaptiveMemory | null {
  const { nowMs, health, hardStop, capacityEventsPerSecond: capacity } = inputs;
  if (health === 'off') return null;
  const known = before ?? first(inputs);
  if (hardStop) return known.phase === 'frozen' ? known : { ...known, phase: 'frozen', changedMs: nowMs };
  if (known.phase === 'frozen')
    return {
      eventsPerSecond: Math.max(known.lastGood / 2, capacity * SMALLEST_PART),
      phase: 'slow_start',
      threshold: known.lastGood,
      lastGood: known.lastGood,
      changedMs: nowMs,
      cutMs: nowMs,
      cuts: 0,
    };
  if (health === 'breached') return since(known.cutMs, nowMs) < COOLDOWN_MS ? known : cut(known, inputs);
  if (health === 'near') return { ...known, phase: 'avoidance', cuts: 0 };
  return well({ ...known, cuts: 0 }, known.phase, inputs);
}

/** Ms since then. A clock that leapt back must not stop anything for ever: what lies in the future was long ago. */
function since(thenMs: number | null, nowMs: number): number {
  return thenMs === null || nowMs < thenMs ? Number.POSITIVE_INFINITY : nowMs - thenMs;
}

function first({ nowMs, capacityEventsPerSecond: capacity }: AdaptiveInputs): AdaptiveMemory {
  return {
    eventsPerSecond: capacity * FIRST_PART,
    phase: 'slow_start',
    threshold: capacity,
    lastGood: capacity * FIRST_PART,
    changedMs: nowMs,
    cutMs: null,
    cuts: 0,
  };
}

function cut(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory {
  const { nowMs, capacityEventsPerSecond: capacity, usedEventsPerSecond: used } = inputs;
  const from = used === null || used <= 0 ? known.eventsPerSecond : Math.min(used, known.eventsPerSecond);
  const part = CUTS[Math.min(known.cuts, CUTS.length - 1)] ?? CUTS[0];
  const eventsPerSecond = Math.max(from * part, capacity * SMALLEST_PART);
  return {
    eventsPerSecond,
    phase: 'avoidance',
    threshold: Math.max(from * THRESHOLD_PART, eventsPerSecond),
    // The first cut may be for something that passes, a stall say: only one that did not help says the rate was not good.
    lastGood: known.cuts === 0 ? known.lastGood : Math.min(known.lastGood, eventsPerSecond),
    changedMs: nowMs,
    cutMs: nowMs,
    cuts: known.cuts + 1,
  };
}

function well(
  known: AdaptiveMemory,
  phase: 'slow_start' | 'avoidance',
  { nowMs, capacityEventsPerSecond: capacity, usedEventsPerSecond }: AdaptiveInputs,
): AdaptiveMemory {
  const used = usedEventsPerSecond ?? 0;
  const lastGood = Math.min(capacity, Math.max(used, Math.min(known.lastGood, known.eventsPerSecond)));
  const periodMs = phase === 'slow_start' ? SLOW_START_PERIOD_MS : AVOIDANCE_PERIOD_MS;
  const tested = used >= known.eventsPerSecond * USED_PART[phase];
  if (!tested || since(known.changedMs, nowMs) < periodMs) return { ...known, lastGood };
  const eventsPerSecond = grown(known, phase, nowMs, capacity);
  if (eventsPerSecond <= known.eventsPerSecond) return { ...known, lastGood };
  const ended = eventsPerSecond >= known.threshold;
  return {
    ...known,
    eventsPerSecond,
    phase: ended ? 'avoidance' : phase,
    lastGood,
    changedMs: nowMs,
  };
}

function grown(
  { eventsPerSecond: rate, threshold, cutMs }: AdaptiveMemory,
  phase: 'slow_start' | 'avoidance',
  nowMs: number,
  capacity: number,
): number {
  if (rate < threshold) return Math.min(capacity, threshold, rate * (phase === 'slow_start' ? 2 : REGAIN));
  if (since(cutMs, nowMs) < PROBE_AFTER_MS) return rate;
  return Math.min(capacity, rate + Math.min(STEP_PART.ofCapacity * capacity, STEP_PART.ofRate * rate));
}
