/**
 * A backfill's rate among its leases, by what they use: a worker whose machine or source is slow does not keep from the others what it
 * leaves lying.
 *
 * A worker lends and borrows among its own leases by itself: they share one token bucket, as large as their grants together. So demand is
 * a worker's, and each of its leases counts as a part of it; the division is `divide`'s, among as many equal claimants as there are leases.
 *
 * Invariants: all leases together never have more than the rate; nobody who wants it has less than an equal part; nothing is left over.
 */
import { divide } from './divide.ts';

export interface LeaseHolder {
  readonly workerId: string;
  /** How many leases of the backfill it holds, at least one. */
  readonly leases: number;
  /** What it can use of its grants, events/s (demand.ts); null: as much as it gets. */
  readonly demand: number | null;
}

/** Of an equal part: the least demand, or one that stood still could never show that it is back. */
const LEAST_DEMAND_PART = 0.1;

/** Events/s for each lease of each worker. */
export function divideLeases(
  eventsPerSecond: number,
  holders: readonly LeaseHolder[],
): ReadonlyMap<string, number> {
  const all = holders.reduce((sum, { leases }) => sum + leases, 0);
  const least = (eventsPerSecond / all) * LEAST_DEMAND_PART;
  const shares = divide(
    eventsPerSecond,
    holders.flatMap(({ workerId, leases, demand }) =>
      Array.from({ length: leases }, (_, index) => ({
        id: `${workerId} ${index}`,
        priority: 0,
        limit: null,
        demand: demand === null ? null : Math.max(demand / leases, least),
      })),
    ),
  );
  return new Map(holders.map(({ workerId }) => [workerId, shares.get(`${workerId} 0`) ?? 0]));
}
