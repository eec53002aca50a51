/**
 * The budget: warns at 80 %, pauses before 100 %, and never cancels.
 *
 * What has been metered is behind what has been spent, and a pause takes a moment; so replay stops ahead of the limit by what will still come:
 *
 *     ahead = peak spend per hour · (age of the meter + interval of looking + time to pause) + what is on the stream · spend per event
 *     pause when spent + ahead ≥ limit
 *
 * The last term is what the applier still does of what is published: a pause stops the reader, and the stream runs dry.
 */
import type { budgetStates } from '../api/cost.ts';
import { type Atoms, priceOf, scaled } from './money.ts';

export const WARN_PART = 0.8;
const HOUR_MS = 3_600_000n;

export interface BudgetInputs {
  /** Atoms. */
  readonly limit: Atoms;
  /** Metered until `meterAgeMs` ago. */
  readonly spent: Atoms;
  /** The most it may be at the rate granted now, not the mean of the last minute. */
  readonly spendPerHour: Atoms;
  readonly meterAgeMs: number;
  /** Until the next look at the budget. */
  readonly lookEveryMs: number;
  /** From the decision to the last event published, at worst. */
  readonly stopMs: number;
  /** Entries of the backfill on the stream, and the spend on each that is still to come. */
  readonly onStream: bigint;
  readonly spendPerEvent: Atoms;
}

export interface BudgetVerdict {
  readonly state: (typeof budgetStates)[number];
  /** spent ÷ limit. */
  readonly part: number;
  /** Replay is paused when the metered spend reaches it. Atoms, 0 or more. */
  readonly pauseAt: Atoms;
}

export function checkBudget(inputs: BudgetInputs): BudgetVerdict {
  const { limit, spent } = inputs;
  const ahead = aheadOf(inputs);
  const pauseAt = limit > ahead ? limit - ahead : 0n;
  const state = spent >= pauseAt ? 'spent' : spent >= scaled(limit, WARN_PART) ? 'warned' : 'within';
  return { state, part: limit > 0n ? Number((spent * 1_000_000n) / limit) / 1_000_000 : 1, pauseAt };
}

function aheadOf({
  spendPerHour,
  meterAgeMs,
  lookEveryMs,
  stopMs,
  onStream,
  spendPerEvent,
}: BudgetInputs): Atoms {
  const ms = BigInt(Math.ceil(meterAgeMs + lookEveryMs + stopMs));
  return priceOf(spendPerHour, ms, HOUR_MS) + onStream * spendPerEvent;
}

/** From two readings of the meter; null while no time has passed between them. */
export function spendPerHour(
  before: { readonly spent: Atoms; readonly atMs: number },
  now: { readonly spent: Atoms; readonly atMs: number },
): Atoms | null {
  const ms = Math.round(now.atMs - before.atMs);
  return ms > 0 ? priceOf(now.spent - before.spent, HOUR_MS, BigInt(ms)) : null;
}
