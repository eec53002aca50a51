/**
 * From the rates the leases should have to the grants that may be sent now.
 *
 * A worker that has been cut goes on at its old rate until it has heard of it. So a lease is reckoned at its *bound*, the
 * highest rate it may still be using: the greatest grant it has not yet reported to be past. Cuts are sent at once; a raise may
 * only use what is free when everyone is reckoned at their bound. Hence, while ceilings stand still, what all leases
 * together may publish never exceeds the ceiling, not even during a hand-over. When a ceiling itself falls, the
 * bounds exceed it until the cut has been acknowledged, and nobody rises meanwhile.
 */
export interface LeaseRate {
  readonly leaseId: string;
  readonly backfillId: string;
  /** Events/s it should have in the end. */
  readonly target: number;
  /** Events/s it may still be using; infinite when nobody knows. */
  readonly bound: number;
}

/** What each lease may be granted now, events/s. `ceilings` by backfill; `total` over all of them. */
export function handOver(
  leases: readonly LeaseRate[],
  ceilings: ReadonlyMap<string, number>,
  total: number,
): Map<string, number> {
  const boundOf = (of: readonly LeaseRate[]) => of.reduce((sum, lease) => sum + lease.bound, 0);
  const free = new Map<string, number>();
  for (const [backfillId, ceiling] of ceilings)
    free.set(
      backfillId,
      Math.max(0, ceiling - boundOf(leases.filter((lease) => lease.backfillId === backfillId))),
    );
  let freeInAll = Math.max(0, total - boundOf(leases));

  const grants = new Map<string, number>();
  for (const lease of leases) {
    const raise = Math.max(
      0,
      Math.min(lease.target - lease.bound, free.get(lease.backfillId) ?? 0, freeInAll),
    );
    free.set(lease.backfillId, (free.get(lease.backfillId) ?? 0) - raise);
    freeInAll -= raise;
    grants.set(lease.leaseId, Math.min(lease.target, lease.bound + raise));
  }
  return grants;
}
