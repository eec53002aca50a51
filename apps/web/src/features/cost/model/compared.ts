import type { CostComparison, CostItemName } from '@spillway/shared/api/cost';
import type { Money } from '@spillway/shared/api/primitives';
import { atomsOf } from '@spillway/shared/cost/money';

/** Rows with something to compare, or something unknown; what is nothing on both sides is only named. */
export function comparedRows(comparison: readonly CostComparison[]): {
  readonly shown: readonly CostComparison[];
  readonly free: readonly CostItemName[];
} {
  const nothing = (money: Money | null) => money !== null && atomsOf(money) === 0n;
  const shown = comparison.filter(({ estimate, actual }) => !(nothing(estimate) && nothing(actual)));
  return {
    shown,
    free: comparison.filter((row) => !shown.includes(row)).map(({ item }) => item),
  };
}
