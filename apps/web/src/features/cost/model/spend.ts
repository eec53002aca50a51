import type { Backfill } from '@spillway/shared/api/backfill';
import type { MeteredCost, PipelineCost } from '@spillway/shared/api/cost';
import { formatRatio, unknown } from '../../../lib/format.ts';
import { decimalsOf, formatMoney, formatMoneyNumber, moneyRatio, sumMoney } from '../../../lib/money.ts';

export interface SpendTile {
  readonly value: string;
  readonly unit: string;
  readonly note: string;
  /** Null: there is no budget to measure it by. */
  readonly percent: number | null;
  readonly tone: 'calm' | 'watch' | 'risk';
}

const quiet = (value: string, note: string): SpendTile => ({
  value,
  unit: '',
  note,
  percent: null,
  tone: 'calm',
});

/**
 * What the current backfills have spent, against the budgets of those that have one. The tone is that of the worst budget: the sum hides one
 * that is spent behind one that has hardly begun.
 */
export function spendAgainstBudget(backfills: readonly Pick<Backfill, 'cost'>[] | undefined): SpendTile {
  if (backfills === undefined) return quiet(unknown, 'the backfills have not been read');
  if (backfills.length === 0) return quiet('none', 'nothing is being replayed');
  const costs = backfills.flatMap(({ cost }) => cost ?? []);
  if (costs.length === 0) return quiet(unknown, 'there is no price book');
  const budgets = costs.flatMap(({ budget }) => budget ?? []);
  if (budgets.length > 0) {
    const spent = sumMoney(budgets.map((budget) => budget.spent));
    const limit = sumMoney(budgets.map((budget) => budget.limit));
    const part = moneyRatio(spent, limit);
    const worst = Math.max(...budgets.map((budget) => budget.part));
    const rest = costs.length - budgets.length;
    return {
      value: formatMoneyNumber(spent),
      unit: spent?.currency ?? '',
      note: `${formatRatio(part)} of ${formatMoney(limit)}${budgets.length > 1 ? `, the most ${formatRatio(worst)}` : ''}${rest === 0 ? '' : `; ${rest} without a budget`}`,
      percent: part === null ? null : part * 100,
      tone: budgets.some(({ state }) => state === 'spent')
        ? 'risk'
        : budgets.some(({ state }) => state === 'warned')
          ? 'watch'
          : 'calm',
    };
  }
  const metered = costs.flatMap(({ metered }) => metered ?? []);
  const spent = sumMoney(metered.map(({ spend }) => spend));
  if (spent === null) return quiet(unknown, 'not metered yet');
  return {
    ...quiet(formatMoneyNumber(spent, decimalsOf(spent)), `by ${count(metered.length)}; no budget is set`),
    unit: spent.currency,
  };
}

/**
 * What the backfills of the Cost screen have spent together. One that is not metered yet is in no sum, and is said to be left out: the sum is never
 * of more than it says.
 */
export function replaySpent(
  backfills: readonly Pick<PipelineCost['backfills'][number], 'metered'>[],
  currency: string,
  decimals?: number,
): Pick<SpendTile, 'value' | 'unit' | 'note'> {
  if (backfills.length === 0) return { value: 'none', unit: '', note: 'no backfill is listed' };
  const metered = backfills.flatMap((backfill) => backfill.metered ?? []);
  const spent = sumMoney(metered.map(({ spend }) => spend));
  const waiting = backfills.length - metered.length;
  const who = backfills.length === 1 ? 'the backfill' : `the ${backfills.length} backfills`;
  return {
    value: spent === null ? unknown : formatMoneyNumber(spent, decimals),
    unit: spent === null ? '' : currency,
    note:
      metered.length === 0
        ? 'not metered yet'
        : waiting === 0
          ? `by ${who}`
          : `by ${metered.length} of ${who}; ${waiting} not metered yet`,
  };
}

export function perHourWords(amount: PipelineCost['spendPerHour']): string {
  return amount === null ? 'per hour: unknown' : `${formatMoney(amount)} an hour`;
}

const count = (backfills: number) => (backfills === 1 ? '1 backfill' : `${backfills} backfills`);

/** What a spend is of: where it counts overage only, what is provisioned is paid for anyway. */
export function spendOf({
  spend,
  total,
}: Pick<MeteredCost, 'spend' | 'total'>): 'everything used' | 'overage alone' {
  return spend.amount === total.amount ? 'everything used' : 'overage alone';
}

/** An estimate is of everything used, so that is what it is held against, whatever of it is spent. */
export function usedOfEstimate(
  { total }: Pick<MeteredCost, 'total'>,
  { likely }: { readonly likely: MeteredCost['total'] },
  isOver: boolean,
  decimals = decimalsOf(likely),
): string {
  return `everything used: ${formatMoneyNumber(total, decimals)}${isOver ? '' : ' until now'}, ${formatRatio(moneyRatio(total, likely))} of it`;
}
