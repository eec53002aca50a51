/**
 * The budget: warns at 80 %, slows down towards its end, pauses just before it, and never cancels.
 *
 * What has been metered is behind what has been spent, and a slow-down takes a moment. So replay gets no higher rate than one that could go on
 * for all of that time and still be paid for; the nearer the end, the slower, and the less is unknown when it is reached:
 *
 *     left    = limit − spent − entries on the stream · spend per event − kept      what is published is applied in any case, and then proved
 *     delay   = age of the meter, at least its interval, + interval of looking + time until a new rate is effective
 *     rate    ≤ left / ((spend per event + proof per event) · e · delay)
 *     pause   when spent ≥ 97 % of the limit − kept, or not one event more can be paid for
 *     kept    = what the proof of what is published will come to: a run without it would have been paid for nothing
 *
 * The e: what is left falls by what was left a delay ago, left'(t) = −left(t − delay) / h, and such a quantity comes down to nothing without ever
 * falling below it if and only if h ≥ e · delay (Györi & Ladas, Oscillation Theory of Delay Differential Equations, 2.2). It then falls by a factor of
 * e in each delay, so slowing down takes some seconds.
 *
 * Spend per event is an estimate, and early in a run a bad one (the first row group is paid for with its first event): it may make replay slow,
 * even stand until the stream has run dry, but only what was metered pauses it. The last 3 % are for what an estimate is off by.
 */
import type { budgetStates } from '../api/cost.ts';
import { type Atoms, priceOf, scaled } from './money.ts';

export const WARN_PART = 0.8;
export const PAUSE_PART = 0.97;
const HOUR_MS = 3_600_000n;

export interface BudgetInputs {
  /** Atoms. */
  readonly limit: Atoms;
  /** Metered until `meterAgeMs` ago. */
  readonly spent: Atoms;
  /** Full price, nothing absorbed; null: not known, and no rate can be told. */
  readonly spendPerEvent: Atoms | null;
  /** For the proof of what is published; 0: it is under way, or over. */
  readonly keptForProof: Atoms;
  readonly proofPerEvent: Atoms;
  /** Entries of the backfill on the stream. */
  readonly onStream: bigint;
  readonly meterAgeMs: number;
  /** Between two readings of the meter: until the next one nothing is known of what goes on. */
  readonly meterEveryMs: number;
  /** Until the next look at the budget. */
  readonly lookEveryMs: number;
  /** From a decision to the last event published at the rate before it, at worst. */
  readonly stopMs: number;
}

export interface BudgetVerdict {
  readonly state: (typeof budgetStates)[number];
  /** spent ÷ limit. */
  readonly part: number;
  /** Replay is paused when the metered spend reaches it. Atoms. */
  readonly pauseAt: Atoms;
  /** The most that can be paid for; null: it cannot be told. Events/s, 0 and up. */
  readonly eventsPerSecond: number | null;
}

export function checkBudget(inputs: BudgetInputs): BudgetVerdict {
  const { limit, spent, proofPerEvent, keptForProof, onStream } = inputs;
  const spendPerEvent = inputs.spendPerEvent ?? 0n;
  const pauseAt = atLeastNothing(scaled(limit, PAUSE_PART) - keptForProof);
  const left = limit - spent - keptForProof - onStream * spendPerEvent;
  const exhausted = onStream === 0n && left < spendPerEvent + proofPerEvent;
  const isNear = spent + keptForProof >= scaled(limit, WARN_PART);
  const state = spent >= pauseAt || exhausted ? 'spent' : isNear ? 'warned' : 'within';
  return {
    state,
    part: budgetPart(spent, limit),
    pauseAt,
    eventsPerSecond: state === 'spent' ? 0 : affordable(inputs, left),
  };
}

function atLeastNothing(atoms: Atoms): Atoms {
  return atoms > 0n ? atoms : 0n;
}

/** spent ÷ limit; a budget of nothing is spent. */
function budgetPart(spent: Atoms, limit: Atoms): number {
  return limit > 0n ? Number((spent * 1_000_000n) / limit) / 1_000_000 : 1;
}

function affordable(
  { spendPerEvent, proofPerEvent, meterAgeMs, meterEveryMs, lookEveryMs, stopMs }: BudgetInputs,
  left: Atoms,
): number | null {
  // Of what costs nothing any rate can be paid for.
  if (spendPerEvent === null || spendPerEvent === 0n) return null;
  if (left <= 0n) return 0;
  const delayMs = Math.max(1, Math.max(meterAgeMs, meterEveryMs) + lookEveryMs + stopMs);
  return (Number(left) / Number(spendPerEvent + proofPerEvent) / (Math.E * delayMs)) * 1_000;
}

/** From two readings of the meter; null while no time has passed between them. */
export function spendPerHour(
  before: { readonly spent: Atoms; readonly atMs: number },
  now: { readonly spent: Atoms; readonly atMs: number },
): Atoms | null {
  const ms = Math.round(now.atMs - before.atMs);
  return ms > 0 ? priceOf(now.spent - before.spent, HOUR_MS, BigInt(ms)) : null;
}
