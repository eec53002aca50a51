import type { Backfill } from '@spillway/shared/api/backfill';
import type { BudgetView } from '@spillway/shared/api/cost';
import { atomsOf } from '@spillway/shared/cost/money';
import { formatRatio } from '../../../lib/format.ts';
import { decimalsOf, formatMoney } from '../../../lib/money.ts';

/** What a spent budget does to the run: nothing to one that has ended, nor to a proof, which no budget stops. */
export function budgetPause(
  { state }: Pick<BudgetView, 'state'>,
  backfill: Pick<Backfill, 'state' | 'holds'>,
): 'pausing' | 'paused' | null {
  if (state !== 'spent' || !backfill.holds.some(({ reason }) => reason === 'budget')) return null;
  return backfill.state === 'pausing' || backfill.state === 'paused' ? backfill.state : null;
}

/** Nothing is near its limit yet, and it will pause before the end all the same. `end`: forecast ÷ limit, null: unknown. */
export function isLikelyTooLittle({ state }: Pick<BudgetView, 'state'>, end: number | null): boolean {
  return state === 'within' && end !== null && end > 1;
}

export function budgetState(
  budget: Pick<BudgetView, 'state'>,
  backfill: Pick<Backfill, 'state' | 'holds'>,
  end: number | null,
): string {
  if (isLikelyTooLittle(budget, end)) return 'Likely too little';
  if (budget.state === 'within') return 'Within budget';
  if (budget.state === 'warned') return 'Above 80 %';
  const pause = budgetPause(budget, backfill);
  if (pause === null) return 'Spent';
  return pause === 'pausing' ? 'Spent: replay is pausing…' : 'Spent: replay is paused';
}

/** What it will do; of a run that has ended there is nothing more to say. */
export function budgetOutlook(
  { pauseAt, keptForProof }: Pick<BudgetView, 'pauseAt' | 'keptForProof'>,
  { endedAt }: Pick<Backfill, 'endedAt'>,
  end: number | null,
): string | null {
  if (endedAt !== null) return null;
  const kept =
    atomsOf(keptForProof) > 0n
      ? `, and ${formatMoney(keptForProof, decimalsOf(pauseAt))} is kept for the proof`
      : '';
  const completion = end === null ? 'unknown' : `${formatRatio(end)} of it`;
  return `Warns at 80 %, pauses at ${formatMoney(pauseAt)}: what is under way still costs${kept}. It never cancels. At completion: ${completion}.`;
}
