import type { Backfill } from '@spillway/shared/api/backfill';
import type { BudgetView } from '@spillway/shared/api/cost';
import { atomsOf } from '@spillway/shared/cost/money';
import { formatRatio } from '../../../lib/format.ts';
import { formatMoney } from '../../../lib/money.ts';

/** That it is paused is said where it is: a run that has ended, and a proof, which no budget stops, may have spent as much. */
export function budgetState(
  { state }: Pick<BudgetView, 'state'>,
  { holds }: Pick<Backfill, 'holds'>,
): string {
  if (state === 'within') return 'Within budget';
  if (state === 'warned') return 'Above 80 %';
  return holds.some(({ reason }) => reason === 'budget') ? 'Spent: replay is paused' : 'Spent';
}

/** What it will do; of a run that has ended there is nothing more to say. `end`: forecast ÷ limit, null: unknown. */
export function budgetOutlook(
  { pauseAt, keptForProof }: Pick<BudgetView, 'pauseAt' | 'keptForProof'>,
  { endedAt }: Pick<Backfill, 'endedAt'>,
  end: number | null,
): string | null {
  if (endedAt !== null) return null;
  const kept = atomsOf(keptForProof) > 0n ? `, and ${formatMoney(keptForProof)} is kept for the proof` : '';
  const completion = end === null ? 'unknown' : `${formatRatio(end)} of it`;
  return `Warns at 80 %, pauses at ${formatMoney(pauseAt)}: what is under way still costs${kept}. It never cancels. At completion: ${completion}.`;
}
