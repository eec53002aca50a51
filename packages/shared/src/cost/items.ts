/**
 * The items of a cost: which counter each is made of, what its price is for, and which provisioned amount absorbs it.
 *
 *     total       = price · quantity / per
 *     overage     = price · (quantity − what provisioned capacity absorbed) / per
 *     provisioned = total − overage            so that the parts are the whole, to the last atom
 */
import { type CostItemName, costItems, type PriceBook } from '../api/cost.ts';
import { type Atoms, atomsOf, priceOf } from './money.ts';
import type { Usage, UsageCounter } from './usage.ts';

export type Provision = keyof PriceBook['provisioned'];

interface ItemRule {
  readonly counter: UsageCounter;
  readonly price: keyof PriceBook['prices'];
  /** The price is for so much of the counter. */
  readonly per: bigint;
  /** What is paid for already and takes from it first; null: nothing does. */
  readonly provision: Provision | null;
}

const MILLION = 1_000_000n;
const GIB = 1_073_741_824n;
const HOUR_MS = 3_600_000n;

export const itemRules: Readonly<Record<CostItemName, ItemRule>> = {
  compute: { counter: 'cpuMs', price: 'computePerCoreHour', per: HOUR_MS, provision: 'cores' },
  store_reads: {
    counter: 'storeReads',
    price: 'storeReadsPerMillion',
    per: MILLION,
    provision: 'storeOperationsPerSecond',
  },
  store_writes: {
    counter: 'rowsAttempted',
    price: 'storeWritesPerMillion',
    per: MILLION,
    provision: 'storeOperationsPerSecond',
  },
  store_wal: { counter: 'walBytes', price: 'walPerGib', per: GIB, provision: null },
  stream_operations: {
    counter: 'streamOperations',
    price: 'streamOperationsPerMillion',
    per: MILLION,
    provision: null,
  },
  stream_memory: {
    counter: 'streamByteMs',
    price: 'streamMemoryPerGibHour',
    per: GIB * HOUR_MS,
    provision: 'streamBytes',
  },
  source_requests: {
    counter: 'sourceRequests',
    price: 'sourceRequestsPerMillion',
    per: MILLION,
    provision: null,
  },
  source_scan: { counter: 'sourceBytes', price: 'sourceScanPerGib', per: GIB, provision: null },
  egress: { counter: 'egressBytes', price: 'egressPerGib', per: GIB, provision: null },
};

/** Work of one account: what it used, what of that provisioned capacity absorbed, and which counters are shares of something shared. */
export interface MeteredUsage {
  readonly total: Usage;
  readonly absorbed: Usage;
  readonly apportioned: readonly UsageCounter[];
}

/** Atoms; null: the quantity is unknown. */
export interface PricedItem {
  readonly item: CostItemName;
  readonly counter: UsageCounter;
  readonly quantity: bigint | null;
  readonly total: Atoms | null;
  readonly provisioned: Atoms | null;
  readonly overage: Atoms | null;
  readonly apportioned: boolean;
}

/** Of the items that are known. */
export interface Priced {
  readonly items: readonly PricedItem[];
  readonly total: Atoms;
  readonly provisioned: Atoms;
  readonly overage: Atoms;
  /** The part that budgets, `maxCost` and spend per hour count; the price book says which. */
  readonly spend: Atoms;
}

/** Prices as atoms: parsed once, used for hundreds of points of a frontier. */
export interface Prices {
  readonly of: Readonly<Record<CostItemName, Atoms>>;
  readonly spendCounts: PriceBook['spendCounts'];
}

export function pricesOf(book: Pick<PriceBook, 'prices' | 'spendCounts'>): Prices {
  const of = Object.fromEntries(
    costItems.map((item) => [item, atomsOf({ amount: book.prices[itemRules[item].price] })]),
  ) as Record<CostItemName, Atoms>;
  return { of, spendCounts: book.spendCounts };
}

export function priceUsage(usage: MeteredUsage, prices: Prices): Priced {
  const items = costItems.map((item) => pricedItem(item, usage, prices));
  const sum = (part: 'total' | 'provisioned' | 'overage') =>
    items.reduce((atoms, item) => atoms + (item[part] ?? 0n), 0n);
  const parts = { total: sum('total'), provisioned: sum('provisioned'), overage: sum('overage') };
  return { items, ...parts, spend: prices.spendCounts === 'overage' ? parts.overage : parts.total };
}

function pricedItem(
  item: CostItemName,
  { total: used, absorbed, apportioned }: MeteredUsage,
  prices: Prices,
): PricedItem {
  const { counter, per } = itemRules[item];
  const quantity = used[counter];
  if (quantity === undefined)
    return {
      item,
      counter,
      quantity: null,
      total: null,
      provisioned: null,
      overage: null,
      apportioned: false,
    };
  const total = priceOf(prices.of[item], quantity, per);
  const overage = priceOf(prices.of[item], quantity - (absorbed[counter] ?? 0n), per);
  return {
    item,
    counter,
    quantity,
    total,
    provisioned: total - overage,
    overage,
    apportioned: apportioned.includes(counter),
  };
}
