/** Use of an account as it is shown: item by item, with what provisioned amounts absorbed. Pure. */
import type { CostItem, MeteredCost, PriceBook } from '@spillway/shared/api/cost';
import type { MeteredUsage, Priced } from '@spillway/shared/cost/items';
import { type Atoms, moneyOf } from '@spillway/shared/cost/money';
import { type UsageCounter, usageCounters } from '@spillway/shared/cost/usage';

export function meteredCost(
  { usage, priced }: { readonly usage: MeteredUsage; readonly priced: Priced },
  book: PriceBook,
  at: { readonly perHour: Atoms | null; readonly nowMs: number },
): MeteredCost {
  const money = (atoms: Atoms) => moneyOf(atoms, book.currency);
  const count = (counter: UsageCounter) => {
    const value = usage.total[counter];
    return value === undefined ? null : Number(value);
  };
  return {
    total: money(priced.total),
    provisioned: money(priced.provisioned),
    overage: money(priced.overage),
    spend: money(priced.spend),
    items: itemsOf(priced, book.currency),
    spendPerHour: at.perHour === null ? null : money(at.perHour),
    priceBookVersion: book.version,
    meteredAt: new Date(at.nowMs).toISOString(),
    writeAmplification: {
      rowsAttempted: count('rowsAttempted'),
      rowsInserted: count('rowsInserted'),
      rowsNoop: count('rowsNoop'),
      walBytes: count('walBytes'),
    },
    publishedBytes: count('publishedBytes'),
  };
}

function itemsOf({ items }: Priced, currency: string): CostItem[] {
  const money = (atoms: Atoms | null) => (atoms === null ? null : moneyOf(atoms, currency));
  return items.map(({ quantity, total, provisioned, overage, ...item }) => ({
    ...item,
    quantity: quantity === null ? null : quantity.toString(),
    total: money(total),
    provisioned: money(provisioned),
    overage: money(overage),
  }));
}

/** `MeteredUsage` as it is kept of what has ended. */
export function recordOfUsage(usage: MeteredUsage): string {
  return JSON.stringify(usage, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
}

const counters: ReadonlySet<string> = new Set(usageCounters);

export function usageOfRecord(record: string): MeteredUsage {
  return JSON.parse(record, (key, value) =>
    counters.has(key) && typeof value === 'string' ? BigInt(value) : value,
  );
}
