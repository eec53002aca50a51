/** Estimate against actual, item by item. */
import type { CostComparison, CostItem, EstimatedItem } from '../api/cost.ts';
import { costItems } from '../api/cost.ts';
import { atomsOf } from './money.ts';

export function compareCost(
  estimated: readonly Pick<EstimatedItem, 'item' | 'total'>[],
  actual: readonly Pick<CostItem, 'item' | 'total' | 'apportioned'>[],
): CostComparison[] {
  return costItems.map((item) => {
    const estimate = estimated.find((one) => one.item === item)?.total ?? null;
    const metered = actual.find((one) => one.item === item);
    return {
      item,
      estimate,
      actual: metered?.total ?? null,
      ratio: ratioOf(metered?.total ?? null, estimate),
      apportioned: metered?.apportioned ?? false,
    };
  });
}

function ratioOf(actual: CostItem['total'], estimate: CostItem['total']): number | null {
  if (actual === null || estimate === null || atomsOf(estimate) === 0n) return null;
  return Number((atomsOf(actual) * 10_000n) / atomsOf(estimate)) / 10_000;
}
