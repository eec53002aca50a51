/**
 * The budget: warns at 80 %, slows down towards its end, pauses just before it, and never cancels.
 *
 * What has been metered is behind what has been spent, and a slow-down takes a moment. So replay gets no rate that could not be paid for until a slower
 * one is effective, beside all that may have been done meanwhile at the rates it was granted before (recent-grants.ts):
 *
 *     left  = (limit − spent − kept − (entries on the stream + unmetered) · price) / (price + proof per event)                     events
 *     sure  = left − what may have been published since the last report, and until the rate granted now is no longer in use
 *     rate  ≤ sure / standing                               where that is no more than the rate granted now, which stands until the new one is effective,
 *           ≤ (sure + rate now · stop) / (standing + stop)  where it is
 *           ≤ left / (age of the last report + standing + stop)
 *     pause   when spent ≥ 97 % of the limit − kept, or nothing is on the stream and not one event more can be paid for
 *     kept  = what the proof of what is done or on the stream will come to: a run without it would have been paid for nothing
 *
 * What is granted counts as published until it is known what of it was: however late the meter is, all rates together are never more than the limit pays
 * for. A rate stands until the next look; then it holds at the full price, as if nothing of it were absorbed any more from now on. Or it stands until its
 * grant runs out, and the safe rate after it, where the api stands still or is gone with the next moment; then it holds at what an event has been coming
 * to. The last of the three is what can go on for ever: a run that uses little of what it is granted
 * would be let go and stopped by turns without it. What was granted before is not known to an api that has just been started: until it is, nothing is.
 *
 * Until anything was metered a third of it is all that is granted: what the first request to a source costs besides is not known.
 * Spend per event is an estimate, and early in a run a bad one (the first row group is paid for with its first event): it may make replay slow,
 * even stand until the stream has run dry, but only what was metered pauses it. The last 3 % are for what an estimate is off by.
 */
import type { budgetStates } from '../api/cost.ts';
import { type Atoms, priceOf, scaled } from './money.ts';
import type { UnknownEvents } from './recent-grants.ts';

export const WARN_PART = 0.8;
export const PAUSE_PART = 0.97;
/** Granted of a budget of which nothing has been metered. */
const UNMETERED_PART = 1 / 3;
const HOUR_MS = 3_600_000n;

export interface BudgetInputs {
  /** Atoms. */
  readonly limit: Atoms;
  /** As far as it is metered. */
  readonly spent: Atoms;
  /** Full price, nothing absorbed; null: not known, and no rate can be told. */
  readonly spendPerEvent: Atoms | null;
  /** Full price, over all that are known to be applied, whether they are metered or not: it comes to no less. Null: none is applied. */
  readonly leastPerEvent: Atoms | null;
  /** What it has been coming to, less what was absorbed. Null: that is not known well enough, and the full price is taken. */
  readonly meteredPerEvent: Atoms | null;
  /** For the proof of what is done or on the stream; 0: it is under way, or over. */
  readonly keptForProof: Atoms;
  readonly proofPerEvent: Atoms;
  /** Entries of the backfill on the stream; what was lost there is none of them. */
  readonly onStream: bigint;
  /** What is in none of these yet; null: what was granted is not remembered. */
  readonly unknown: UnknownEvents | null;
  /** Of the last report of what is published. */
  readonly toldAgeMs: number;
  /** Until the next look at the budget. */
  readonly lookEveryMs: number;
  /** A rate may stand for as long as this: the next look may be late, or never come, and then it runs out by itself. */
  readonly standsMs: number;
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
  const pauseAt = atLeastNothing(scaled(limit, PAUSE_PART) - keptForProof);
  const oneMore = (inputs.leastPerEvent ?? inputs.spendPerEvent ?? 0n) + proofPerEvent;
  const exhausted = onStream === 0n && limit - spent - keptForProof < oneMore;
  const isNear = spent + keptForProof >= scaled(limit, WARN_PART);
  const state = spent >= pauseAt || exhausted ? 'spent' : isNear ? 'warned' : 'within';
  return {
    state,
    part: budgetPart(spent, limit),
    pauseAt,
    eventsPerSecond: state === 'spent' ? 0 : affordable(inputs),
  };
}

function atLeastNothing(atoms: Atoms): Atoms {
  return atoms > 0n ? atoms : 0n;
}

/** spent ÷ limit; a budget of nothing is spent. */
function budgetPart(spent: Atoms, limit: Atoms): number {
  return limit > 0n ? Number((spent * 1_000_000n) / limit) / 1_000_000 : 1;
}

function affordable(inputs: BudgetInputs): number | null {
  const { spendPerEvent, meteredPerEvent, unknown, lookEveryMs, standsMs } = inputs;
  if (unknown === null) return 0;
  // Of what costs nothing any rate can be paid for.
  if (spendPerEvent === null || spendPerEvent + inputs.proofPerEvent === 0n) return null;
  return Math.min(
    rateFor(inputs, unknown, spendPerEvent, lookEveryMs),
    rateFor(inputs, unknown, meteredPerEvent ?? spendPerEvent, standsMs),
  );
}

/** Events/s that can stand for so long, at that price for an event. */
function rateFor(inputs: BudgetInputs, unknown: UnknownEvents, price: Atoms, standsMs: number): number {
  const { limit, spent, keptForProof, onStream, proofPerEvent, toldAgeMs, stopMs } = inputs;
  const each = Number(price + proofPerEvent);
  if (each === 0) return Number.POSITIVE_INFINITY;
  const unspent = Number(limit - spent - keptForProof - onStream * price);
  const granted = unspent * (spent === 0n ? UNMETERED_PART : 1);
  const left = (granted - unknown.unmetered * Number(price)) / each;
  const sure = left - unknown.published;
  const [standing, stop] = [Math.max(1, standsMs) / 1_000, stopMs / 1_000];
  const slower = sure / standing;
  const next =
    slower <= unknown.eventsPerSecond ? slower : (sure + unknown.eventsPerSecond * stop) / (standing + stop);
  return Math.max(0, Math.min(next, left / (toldAgeMs / 1_000 + standing + stop)));
}

/** From two readings of the meter; null while no time has passed between them. */
export function spendPerHour(
  before: { readonly spent: Atoms; readonly atMs: number },
  now: { readonly spent: Atoms; readonly atMs: number },
): Atoms | null {
  const ms = Math.round(now.atMs - before.atMs);
  return ms > 0 ? priceOf(now.spent - before.spent, HOUR_MS, BigInt(ms)) : null;
}
