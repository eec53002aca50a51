/**
 * What provisioned capacity absorbs, slot by slot. A slot is a minute of the clock, or the part of one before or after a change of the amounts.
 *
 *     pool      = provisioned amount · the slot's ms
 *     live      takes of the pool first: it is what the capacity is kept for
 *     backfills take what is left, in proportion to their use
 *
 * Capacity that was not used in one slot is not there in the next. Between two ticks use is taken to be even, so it does not matter to a slot how
 * many ticks told of it.
 */
import { type CostItemName, costItems, type PriceBook } from '../api/cost.ts';
import { itemRules, type Provision } from './items.ts';
import { addUsage, apportion, lessUsage, type Usage, type UsageCounter, usageCounters } from './usage.ts';

export const SLOT_MS = 60_000;
export const LIVE = 'live';

/** Use of each account within one slot; the key of a backfill's is its id, live's is `live`. */
export type SlotUse = Readonly<Record<string, Usage>>;

/** Counters that one provisioned amount serves, and what a unit of it is for one ms, in units of the counters. */
const perMs: Readonly<Record<Provision, number>> = {
  cores: 1,
  storeOperationsPerSecond: 1 / 1_000,
  streamBytes: 1,
};
const countersOf = Object.fromEntries(
  (Object.keys(perMs) as Provision[]).map((provision) => [
    provision,
    costItems
      .filter((item: CostItemName) => itemRules[item].provision === provision)
      .map((item) => itemRules[item].counter),
  ]),
) as Record<Provision, UsageCounter[]>;

/** What of the use of each account is absorbed in `ms` of a slot. Never more than it used, all together never more than the pool. */
export function absorbedIn(
  use: SlotUse,
  provisioned: PriceBook['provisioned'],
  ms: number,
): Record<string, Usage> {
  const accounts = Object.keys(use);
  const absorbed: Record<string, Usage> = Object.fromEntries(accounts.map((account) => [account, {}]));
  for (const provision of Object.keys(perMs) as Provision[]) {
    let pool = BigInt(Math.floor(provisioned[provision] * perMs[provision] * ms));
    for (const claimants of [accounts.filter(isLive), accounts.filter((account) => !isLive(account))]) {
      const claims = claimants.flatMap((account) =>
        countersOf[provision].map((counter) => ({ account, counter, used: use[account]?.[counter] ?? 0n })),
      );
      const wanted = claims.reduce((sum, { used }) => sum + used, 0n);
      const given = wanted < pool ? wanted : pool;
      const parts =
        apportion(
          given,
          claims.map(({ used }) => used),
        ) ?? [];
      for (const [index, { account, counter }] of claims.entries())
        if (parts[index]) absorbed[account] = addUsage(absorbed[account] ?? {}, { [counter]: parts[index] });
      pool -= given;
    }
  }
  return absorbed;
}

function isLive(account: string): boolean {
  return account === LIVE;
}

export interface Spread {
  /** Begin of the slot, epoch ms. */
  readonly slot: number;
  readonly use: Usage;
}

/** Use between two moments, evenly over the slots it touches. The parts add up to it exactly. */
export function spreadOver(use: Usage, fromMs: number, toMs: number): Spread[] {
  const first = slotOf(fromMs);
  const last = toMs > fromMs ? slotOf(toMs - 1) : first;
  if (first === last) return [{ slot: first, use }];
  const spread: Spread[] = [];
  let before: Usage = {};
  for (let slot = first; slot <= last; slot += SLOT_MS) {
    const until = Math.min(toMs, endOfSlot(slot));
    const reached = partOf(use, BigInt(until - fromMs), BigInt(toMs - fromMs));
    spread.push({ slot, use: lessUsage(reached, before) });
    before = reached;
  }
  return spread;
}

export function slotOf(atMs: number): number {
  return Math.floor(atMs / SLOT_MS) * SLOT_MS;
}

/** Where the minute ends that a moment lies in, epoch ms. */
export function endOfSlot(atMs: number): number {
  return slotOf(atMs) + SLOT_MS;
}

function partOf(use: Usage, ms: bigint, ofMs: bigint): Usage {
  const part: Partial<Record<UsageCounter, bigint>> = {};
  for (const counter of usageCounters) {
    const whole = use[counter];
    if (whole !== undefined) part[counter] = (whole * ms) / ofMs;
  }
  return part;
}
