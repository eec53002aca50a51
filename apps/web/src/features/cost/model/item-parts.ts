import type { CostItem, CostItemName, EstimatedItem } from '@spillway/shared/api/cost';
import type { Money } from '@spillway/shared/api/primitives';
import { atomsOf } from '@spillway/shared/cost/money';
import { decimalsOfAll, sumMoney } from '../../../lib/money.ts';

type Item = CostItem | EstimatedItem;

/** What has a price or is unknown is shown; what is known to cost nothing is only named. Unknown is not nothing. */
export function itemParts<T extends Item>(
  items: readonly T[],
): { readonly shown: readonly T[]; readonly free: readonly CostItemName[]; readonly decimals: number } {
  const shown = items.filter(({ total }) => total === null || atomsOf(total) !== 0n);
  return {
    shown,
    free: items.filter((item) => !shown.includes(item)).map(({ item }) => item),
    decimals: decimalsOfAll(shown.map(({ total }) => total)),
  };
}

/** Null: of no item that part is known. */
export function sumOfItems(items: readonly Item[], part: 'provisioned' | 'overage'): Money | null {
  return sumMoney(items.flatMap((item) => item[part] ?? []));
}
