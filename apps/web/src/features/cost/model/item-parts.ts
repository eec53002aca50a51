import type { CostItem, CostItemName, EstimatedItem } from '@spillway/shared/api/cost';
import type { Money } from '@spillway/shared/api/primitives';
import { atomsOf } from '@spillway/shared/cost/money';
import { decimalsOfAll, sumMoney } from '../../../lib/money.ts';

type Item = CostItem | EstimatedItem;

/** What costs something is shown; what is known to cost nothing, and what is unknown, is named. Unknown is not nothing. */
export function itemParts<T extends Item>(
  items: readonly T[],
): {
  readonly shown: readonly T[];
  readonly free: readonly CostItemName[];
  readonly missing: readonly CostItemName[];
  readonly decimals: number;
} {
  const named = (which: (item: T) => boolean) => items.filter(which).map(({ item }) => item);
  const shown = items.filter(({ total }) => total !== null && atomsOf(total) !== 0n);
  return {
    shown,
    free: named(({ total }) => total !== null && atomsOf(total) === 0n),
    missing: named(({ total }) => total === null),
    decimals: decimalsOfAll(shown.map(({ total }) => total)),
  };
}

/** Null: of no item that part is known. */
export function sumOfItems(items: readonly Item[], part: 'provisioned' | 'overage'): Money | null {
  return sumMoney(items.flatMap((item) => item[part] ?? []));
}
