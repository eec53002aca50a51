/**
 * AIMD on the signals: how fast replay may go as far as anyone can tell from what it does to live.
 *
 *     slow start   rate ← rate · 2                       every 500 ms, up to the threshold
 *                  rate ← rate · 1.25                    instead, beyond a quarter of capacity and beyond what has been used well, where
 *                                                        nothing has ever broken: what the signals say is a second old, and by then it
 *                                                        would have doubled twice
 *     avoidance    rate ← rate · 1.1                     every second, up to the threshold
 *                  rate ← rate + 2 % of capacity         every second beyond it, once nothing has broken for four seconds; never
 *                                                        more than 3 % of the rate, and twice that after every ten seconds more
 *                  rate ← rate + room · 10 % of capacity if that is more, and no breach has outlasted its first cut; never more
 *                                                        than room · 30 % of the rate. Room is how far the signals are from where
 *                                                        they are near a target: 1 is all of the way
 *     edge         rate ← used · 1.1, at least half     where slow start comes near a target or beyond it: it had allowed more than was
 *                                                       used by then. It is over when that outlasts what the signals look back
 *     breach       rate ← used · 0.7                     at once when it is gross
 *                  rate ← used · 0.85                    at once in slow start beyond half of capacity, which has doubled its way there;
 *                                                        else, when it outlasts what the signals look back
 *                  rate ← applied · 0.5, then · 0.3      if it lasts, one cut in each cooldown;
 *                         applied · 0.7, 0.5, then 0.3   where it is less than gross
 *     doubt        rate ← used · 2.6, at least the first; slow start from there: after ten seconds in which hardly a third was used
 *     stopped      frozen; then half the last good rate, slow start from there
 *
 * The threshold is 85 % of what was used when things broke: known ground is regained quickly, and beyond it is felt for slowly, so
 * that the rate rests below its limit instead of sawing across it. What breaks on known ground is rarely the rate's doing (a vacuum,
 * a neighbour), so the threshold then falls by a twentieth only: a noisy machine costs some rate, but does not wear it down.
 *
 * A cooldown is longer than what a cut leaves on the stream takes to be applied, and than the signals look back (two seconds): what is
 * over is not paid for twice. It holds after a thaw, too, when the signals still tell of the stall.
 *
 * It grows only while the signals are well, the store keeps up, *and the rate is really used*: a limit that nobody tests says
 * nothing about what lies beyond it (app-limited). The first cut starts from what was used, not from a limit far above it, so that it
 * always bites; it may be for something that passes. A breach that outlasts it is replay's doing, and further cuts start from what
 * the store really took, which is the truth about replayed events that cost hundreds of times what was believed.
 *
 * Nor does it say anything about what lies below it, when it has not been tested for long: what was true of it may no longer be. It is
 * doubted then, while the threshold stays: what was known is regained by doubling, and with the signals in view. What is left is too
 * much to be tested by what is used, so a rate that is doubted once rests there.
 *
 * What is breached while nothing is replayed is not replay's doing: it teaches nothing, and replay will begin from the bottom, and double up to where
 * it has been.
 *
 * After Chiu & Jain 1989 (additive increase, multiplicative decrease converges to fairness), RFC 5681 (slow start, threshold) and
 * RFC 7661 (in slow start, half used is used: what is measured lags behind what was doubled; what is not validated is given up).
 */
import type { Health } from './signals.ts';

export interface AdaptiveMemory {
  readonly eventsPerSecond: number;
  readonly phase: 'slow_start' | 'avoidance' | 'frozen';
  /** Slow start ends here, and slow growth begins, events/s. */
  readonly threshold: number;
  /** The most that was used while all was well; what a hard stop comes back to half of. */
  readonly lastGood: number;
  /** The most that was ever used while all was well: up to here slow start has been. */
  readonly trodden: number;
  /** When the rate last changed, ms. */
  readonly changedMs: number;
  /** The last cut or thaw, ms: the cooldown runs from here. Null: there was none. */
  readonly cutMs: number | null;
  /** Cuts and thaws since the signals were last not breached. */
  readonly cuts: number;
  /** A breach outlasted its first cut, or it was a storm: the rate had broken something, and beyond the threshold care is due. */
  readonly proven: boolean;
  /** Since when the signals have been breached without a break; null: they are not. */
  readonly breachedMs: number | null;
  /** Since when slow start has been near a target or beyond it; null: it is not. */
  readonly nearMs: number | null;
  /** When it began, or began anew: for a cooldown from then on the signals still tell of the time before. */
  readonly begunMs: number;
  /** Since when so little of it is used that it is not tested at all, ms; null: it is, or nobody knows. */
  readonly untestedMs: number | null;
}

export interface AdaptiveInputs {
  /** Monotonic, ms. */
  readonly nowMs: number;
  readonly health: Health;
  /** Part of the way to where a signal is near its target that is left, of the worst of them, 0..1. */
  readonly room: number;
  /** One is at twice what is held of its target or worse. */
  readonly gross: boolean;
  /**
   * Why nothing may be concluded from what is measured now. A stall of the store or an unreadable signal says nothing about the rate;
   * a storm says that it was too high.
   */
  readonly frozenBy: 'stall' | 'blindness' | 'storm' | null;
  /** What its steps are parts of, and where slow start ends. */
  readonly capacityEventsPerSecond: number;
  /** It never goes beyond: the capacity as it is set, which may be more than was ever measured. */
  readonly mostEventsPerSecond: number;
  /** What replay really published over the last second; null when nobody knows. */
  readonly usedEventsPerSecond: number | null;
  /** What the store took of it; null when nobody knows. */
  readonly appliedEventsPerSecond: number | null;
}

export const COOLDOWN_MS = 4_000;
/**
 * The signals look back two seconds, so a single hiccup of the machine stays in sight for that long: a breach that is not gross
 * is taken for one until it has lasted longer.
 */
export const HICCUP_MS = 2_250;
const SLOW_START_PERIOD_MS = 500;
const AVOIDANCE_PERIOD_MS = 1_000;
const PROBE_AFTER_MS = 4_000;

const FIRST_PART = 0.02;
const DOUBLING = 2;
/** On ground where nobody has been: beyond this part of capacity it is gone more slowly. */
const UNTRIED = { beyondPart: 0.25, growth: 1.25 };
/** Of capacity: from here on slow start expects to break things, and does not wait to see whether they pass. */
const EXPECTED_PART = 0.5;
const REGAIN = 1.1;
const STEP_PART = { ofCapacity: 0.02, ofRate: 0.03 };
const BOLDER_AFTER_MS = 10_000;
/** Where live's own p99 trembles by half from second to second, small steps between cuts for its trembling lead nowhere. */
const ROOMY_STEP_PART = { ofCapacity: 0.1, ofRate: 0.3 };
/** One after the other while a breach lasts; of one that is less than gross each is a step gentler. */
const CUTS = { gross: [0.7, 0.5, 0.3], slight: [0.85, 0.7, 0.5, 0.3] } as const;
/** The threshold after a breach: of what was used, or on known ground of itself. */
const THRESHOLD_PART = { beyond: 0.85, within: 0.95 };
/** A rate of which less than this part is used is not tested. */
const USED_PART = { slow_start: 0.4, avoidance: 0.7 };
/** Less than `usedPart` of it tests nothing; `leavesPart` of what is left after a doubt is used: less than what lets slow start grow. */
const DOUBT = { afterMs: 10_000, usedPart: 0.35, leavesPart: 0.38 };
/** The store takes what is published; where it takes less, the stream grows and no more is wanted. */
const KEEPS_UP_PART = 0.9;
/** Of capacity: below it a cut stops, so that there is something to grow from. The floor may be lower or higher. */
const SMALLEST_PART = 0.0005;

/** The memory from now on; null while no signal has a target. */
export function adapt(inputs: AdaptiveInputs, before: AdaptiveMemory | null): AdaptiveMemory | null {
  const { nowMs, health, frozenBy } = inputs;
  if (health === 'off') return null;
  const known = followBreach(forgetUse(before ?? first(inputs), inputs), inputs);
  if (frozenBy !== null) return known.phase === 'frozen' ? known : frozen(known, inputs);
  if (known.phase === 'frozen') return thawed(known, inputs);
  const cooling = Math.min(since(known.cutMs, nowMs), since(known.begunMs, nowMs)) < COOLDOWN_MS;
  if (!cooling && health !== 'ok' && isUnused(inputs)) return innocent(known, inputs);
  if (health === 'breached') {
    if (cooling) return known;
    if (!isHiccup(known, inputs)) return cut(known, inputs);
    return known.phase === 'slow_start' ? edged(known, inputs) : known;
  }
  // On its way out of the signals, a stall passes the target once more: that ends no slow start.
  if (health === 'near') return cooling ? { ...known, cuts: 0 } : edged(known, inputs);
  const followed = followUse({ ...known, cuts: 0, nearMs: null }, inputs);
  return doubted(followed, inputs) ?? well(followed, known.phase, inputs);
}

/** While the signals are not well nobody looks at what is used: ten seconds of it begin anew. */
function forgetUse(known: AdaptiveMemory, { health }: AdaptiveInputs): AdaptiveMemory {
  return health === 'ok' || known.untestedMs === null ? known : { ...known, untestedMs: null };
}

function isUnused({ usedEventsPerSecond, appliedEventsPerSecond }: AdaptiveInputs): boolean {
  return usedEventsPerSecond === 0 && (appliedEventsPerSecond ?? 0) === 0;
}

function followBreach(known: AdaptiveMemory, { health, nowMs }: AdaptiveInputs): AdaptiveMemory {
  if (health !== 'breached') return known.breachedMs === null ? known : { ...known, breachedMs: null };
  // A clock that leapt back begins to count anew.
  return known.breachedMs !== null && known.breachedMs <= nowMs ? known : { ...known, breachedMs: nowMs };
}

/** A breach that outlasted a cut needs no second proof; nor does one that slow start meets near what was measured as capacity. */
function isHiccup(known: AdaptiveMemory, inputs: AdaptiveInputs): boolean {
  const { breachedMs, cuts, phase } = known;
  const { gross, nowMs, usedEventsPerSecond: used, capacityEventsPerSecond: capacity } = inputs;
  const isExpected = phase === 'slow_start' && (used ?? 0) >= EXPECTED_PART * capacity;
  return !gross && cuts === 0 && !isExpected && nowMs - (breachedMs ?? nowMs) < HICCUP_MS;
}

/** Replay that does not run has broken nothing; where something is broken it will begin from the bottom. */
function innocent(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory {
  const bottom = inputs.capacityEventsPerSecond * FIRST_PART;
  if (inputs.health === 'near') return known;
  const eventsPerSecond = Math.min(known.eventsPerSecond, bottom);
  return { ...known, eventsPerSecond, phase: 'slow_start', changedMs: inputs.nowMs, begunMs: inputs.nowMs };
}

/**
 * So far, and not much farther: slow start has allowed more by now than what the signals tell of. What brought them near may be a hiccup, which
 * ends nothing: nothing grows until it is out of their sight.
 */
function edged(known: AdaptiveMemory, { usedEventsPerSecond: used, nowMs }: AdaptiveInputs): AdaptiveMemory {
  const { phase, eventsPerSecond: rate, nearMs } = known;
  if (phase !== 'slow_start') return { ...known, phase: 'avoidance', cuts: 0 };
  // A clock that leapt back begins to count anew.
  if (nearMs === null || nearMs > nowMs) {
    const tried = Math.min(rate, Math.max(rate / DOUBLING, (used ?? rate) * REGAIN));
    return { ...known, eventsPerSecond: tried, changedMs: nowMs, cuts: 0, nearMs: nowMs };
  }
  if (nowMs - nearMs < HICCUP_MS) return { ...known, cuts: 0 };
  return { ...known, phase: 'avoidance', threshold: rate, cuts: 0, nearMs: null };
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
    trodden: 0,
    changedMs: nowMs,
    cutMs: null,
    cuts: 0,
    proven: false,
    breachedMs: null,
    nearMs: null,
    begunMs: nowMs,
    untestedMs: null,
  };
}

function frozen(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory {
  const lastGood = goodOf(known, inputs);
  // A storm is replay's doing.
  const proven = known.proven || inputs.frozenBy === 'storm';
  return { ...known, phase: 'frozen', lastGood, changedMs: inputs.nowMs, proven };
}

/** What a thaw may believe in. */
function goodOf(
  { lastGood, eventsPerSecond, phase, cuts }: AdaptiveMemory,
  { frozenBy, appliedEventsPerSecond }: AdaptiveInputs,
): number {
  // A storm was fed by replay: at most what the store really took was good.
  if (frozenBy === 'storm')
    return Math.min(
      lastGood,
      eventsPerSecond,
      (positive(appliedEventsPerSecond) ?? eventsPerSecond) * THRESHOLD_PART.beyond,
    );
  // Stopped again before a thaw has done well: what it came back to half of was not good, either.
  return phase === 'slow_start' && cuts > 0 ? Math.min(lastGood, eventsPerSecond) : lastGood;
}

function thawed(
  { lastGood, trodden, threshold, proven }: AdaptiveMemory,
  inputs: AdaptiveInputs,
): AdaptiveMemory {
  const { nowMs, capacityEventsPerSecond: capacity } = inputs;
  // Frozen before anything was tried (a start): nothing good is known, and nothing bad.
  const untried = lastGood <= capacity * FIRST_PART;
  return {
    eventsPerSecond: Math.max(lastGood / 2, capacity * SMALLEST_PART),
    phase: 'slow_start',
    threshold: untried ? threshold : lastGood,
    lastGood,
    trodden,
    changedMs: nowMs,
    cutMs: nowMs,
    cuts: 1,
    proven,
    breachedMs: null,
    nearMs: null,
    begunMs: nowMs,
    untestedMs: null,
  };
}

function cut(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory {
  const { nowMs, capacityEventsPerSecond: capacity } = inputs;
  const rate = known.eventsPerSecond;
  const passing = known.cuts === 0;
  const from = Math.min(
    rate,
    positive(passing ? inputs.usedEventsPerSecond : inputs.appliedEventsPerSecond) ?? rate,
  );
  const cuts = inputs.gross ? CUTS.gross : CUTS.slight;
  const part = cuts[Math.min(known.cuts, cuts.length - 1)] ?? cuts[0];
  const eventsPerSecond = Math.max(from * part, capacity * SMALLEST_PART);
  const onKnownGround = passing && known.cutMs !== null && rate <= known.threshold;
  const threshold = Math.max(
    onKnownGround ? known.threshold * THRESHOLD_PART.within : from * THRESHOLD_PART.beyond,
    eventsPerSecond,
  );
  return {
    eventsPerSecond,
    phase: 'avoidance',
    threshold,
    lastGood: passing ? known.lastGood : Math.min(known.lastGood, eventsPerSecond),
    trodden: known.trodden,
    changedMs: nowMs,
    cutMs: nowMs,
    cuts: known.cuts + 1,
    proven: known.proven || !passing,
    breachedMs: known.breachedMs,
    nearMs: null,
    begunMs: known.begunMs,
    untestedMs: null,
  };
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

/** A limit that has not been tested for long is not known any more. */
function doubted(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory | null {
  const { nowMs, usedEventsPerSecond: used, capacityEventsPerSecond: capacity } = inputs;
  if (used === null || known.untestedMs === null || nowMs - known.untestedMs < DOUBT.afterMs) return null;
  const eventsPerSecond = Math.max(capacity * FIRST_PART, used / DOUBT.leavesPart);
  return { ...known, eventsPerSecond, phase: 'slow_start', changedMs: nowMs, untestedMs: null };
}

function followUse(known: AdaptiveMemory, inputs: AdaptiveInputs): AdaptiveMemory {
  const { nowMs, usedEventsPerSecond: used, capacityEventsPerSecond: capacity } = inputs;
  const rate = known.eventsPerSecond;
  const isTested = used === null || used >= rate * DOUBT.usedPart || rate <= capacity * FIRST_PART;
  if (isTested) return known.untestedMs === null ? known : { ...known, untestedMs: null };
  // A clock that leapt back begins to count anew.
  return known.untestedMs !== null && known.untestedMs <= nowMs ? known : { ...known, untestedMs: nowMs };
}

function well(
  known: AdaptiveMemory,
  phase: 'slow_start' | 'avoidance',
  inputs: AdaptiveInputs,
): AdaptiveMemory {
  const { nowMs, mostEventsPerSecond: most, usedEventsPerSecond, appliedEventsPerSecond } = inputs;
  const used = usedEventsPerSecond ?? 0;
  const lastGood = Math.min(most, Math.max(used, Math.min(known.lastGood, known.eventsPerSecond)));
  const periodMs = phase === 'slow_start' ? SLOW_START_PERIOD_MS : AVOIDANCE_PERIOD_MS;
  const tested = used >= known.eventsPerSecond * USED_PART[phase];
  const keepsUp = appliedEventsPerSecond === null || appliedEventsPerSecond >= used * KEEPS_UP_PART;
  const trodden = keepsUp ? Math.min(most, Math.max(used, known.trodden)) : known.trodden;
  if (!tested || !keepsUp || since(known.changedMs, nowMs) < periodMs) return { ...known, lastGood, trodden };
  const eventsPerSecond = grown(known, phase, inputs);
  if (eventsPerSecond <= known.eventsPerSecond) return { ...known, lastGood, trodden };
  const ended = eventsPerSecond >= known.threshold;
  return {
    ...known,
    eventsPerSecond,
    phase: ended ? 'avoidance' : phase,
    lastGood,
    trodden,
    changedMs: nowMs,
  };
}

function grown(
  { eventsPerSecond: rate, threshold, trodden, cutMs, proven }: AdaptiveMemory,
  phase: 'slow_start' | 'avoidance',
  { nowMs, room, capacityEventsPerSecond: capacity, mostEventsPerSecond: most }: AdaptiveInputs,
): number {
  if (rate < threshold) {
    if (phase !== 'slow_start') return Math.min(most, threshold, rate * REGAIN);
    const untried = cutMs === null && rate >= UNTRIED.beyondPart * capacity;
    const quick = untried
      ? Math.max(rate * UNTRIED.growth, Math.min(trodden, rate * DOUBLING))
      : rate * DOUBLING;
    return Math.min(most, threshold, quick);
  }
  const unbrokenMs = since(cutMs, nowMs);
  if (unbrokenMs < PROBE_AFTER_MS) return rate;
  const bolder = 2 ** ((unbrokenMs - PROBE_AFTER_MS) / BOLDER_AFTER_MS);
  const careful = Math.min(STEP_PART.ofCapacity * capacity, Math.min(1, STEP_PART.ofRate * bolder) * rate);
  const roomy = room * Math.min(ROOMY_STEP_PART.ofCapacity * capacity, ROOMY_STEP_PART.ofRate * rate);
  return Math.min(most, rate + (proven ? careful : Math.max(careful, roomy)));
}
