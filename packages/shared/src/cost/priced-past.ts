/**
 * An account that goes on while the price book changes (live has no end): what it has used until the change stays priced by the book it was metered
 * under, and only what comes after it has the new prices.
 *
 *     spent = Σ over the books, what it used under each at its prices
 *
 * Kept of all the books before is one sum, so that it stays small however many there were.
 */
import type { CostItemName } from '../api/cost.ts';
import { type MeteredUsage, type Priced, type PricedItem, type Prices, priceUsage } from './items.ts';
import type { Atoms } from './money.ts';
import { type Usage, type UsageCounter, usageCounters } from './usage.ts';

export interface PricedPast {
  /** All it had used at the last change. */
  readonly usage: MeteredUsage;
  /** What that has come to. Atoms. */
  readonly items: Readonly<Partial<Record<CostItemName, { readonly total: Atoms; readonly overage: Atoms }>>>;
  readonly spend: Atoms;
}

/** What `usage`, all it has used until now, comes to. `prices`: of the book in force; `past`: before it, null: it is the first. */
export function priceWithPast(usage: MeteredUsage, prices: Prices, past: PricedPast | null): Priced {
  if (past === null) return priceUsage(usage, prices);
  const present = priceUsage(sinceThen(usage, past.usage), prices);
  const items = present.items.map((item) => withPast(item, usage.total[item.counter], past));
  const sum = (part: 'total' | 'provisioned' | 'overage') =>
    items.reduce((atoms, item) => atoms + (item[part] ?? 0n), 0n);
  return {
    items,
    total: sum('total'),
    provisioned: sum('provisioned'),
    overage: sum('overage'),
    spend: past.spend + present.spend,
  };
}

/** At a change of the book: what was used and what it came to. */
export function pastOf(usage: MeteredUsage, { items, spend }: Priced): PricedPast {
  const known = items.flatMap(({ item, total, overage }) =>
    total === null || overage === null ? [] : [[item, { total, overage }] as const],
  );
  return { usage, items: Object.fromEntries(known), spend };
}

function withPast(item: PricedItem, quantity: bigint | undefined, { items }: PricedPast): PricedItem {
  const before = items[item.item];
  if (before === undefined || quantity === undefined) return item;
  const total = before.total + (item.total ?? 0n);
  const overage = before.overage + (item.overage ?? 0n);
  return { ...item, quantity, total, overage, provisioned: total - overage };
}

/** What was absorbed before the change is settled with it (`settleBeforeChange`), and never becomes less. Records from before that are cut to what was used. */
function sinceThen(now: MeteredUsage, then: MeteredUsage): MeteredUsage {
  const total: Partial<Record<UsageCounter, bigint>> = {};
  const absorbed: Partial<Record<UsageCounter, bigint>> = {};
  for (const counter of usageCounters) {
    const used = now.total[counter];
    if (used === undefined) continue;
    const since = atLeast(0n, used - (then.total[counter] ?? 0n));
    const taken = atLeast(0n, (now.absorbed[counter] ?? 0n) - (then.absorbed[counter] ?? 0n));
    total[counter] = since;
    absorbed[counter] = since - taken < 0n ? since : taken;
  }
  return { total: total as Usage, absorbed: absorbed as Usage, apportioned: now.apportioned };
}

function atLeast(least: bigint, value: bigint): bigint {
  return value > least ? value : least;
}

/** As JSON: bigints as decimal strings, and nothing else of it is a string of digits. */
export function recordOfPast(past: PricedPast): string {
  return JSON.stringify(past, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
}

export function pastOfRecord(record: string): PricedPast {
  return JSON.parse(record, (_, value) =>
    typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value,
  );
}
