/**
 * Who holds a backfill's leases, and what each worker uses of them. In memory, and dispensable: what is not known counts as wanted.
 *
 * A worker holds as many as it lately did: the gap between two leases is not worth a redistribution, and until its successor has come the
 * worker keeps the grant of the one that ended.
 */
import { type DemandMemory, followDemand } from '@spillway/shared/governor/demand';
import type { LeaseHolder } from '@spillway/shared/governor/divide-leases';
import type { Clock } from '../context.ts';

const PEAK_MS = 1_500;
/** Counts come with every tick, four times a second: one of them is enough to see that all of it is used. */
const BACK_WITHIN_MS = 200;

interface Holding {
  readonly workerId: string;
  leases: number;
  /** When it last held that many. */
  atMs: number;
  published: number;
  demand: DemandMemory | null;
}

export class LeaseHolders {
  readonly #clock: Clock;
  readonly #byBackfill = new Map<string, Map<string, Holding>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** So many more events than were known of. */
  published(backfillId: string, workerId: string, events: number): void {
    const holding = this.#byBackfill.get(backfillId)?.get(workerId);
    if (holding !== undefined) holding.published += Math.max(0, events);
  }

  /** After what it published; `granted`: what its leases of the backfill may use at least, together, events/s. */
  follow(backfillId: string, workerId: string, granted: number): void {
    const holding = this.#byBackfill.get(backfillId)?.get(workerId);
    if (holding === undefined) return;
    const nowMs = this.#clock.monotonic();
    holding.demand = followDemand(
      { nowMs, eventsPublished: holding.published, grantedEventsPerSecond: granted },
      holding.demand,
      { backWithinMs: BACK_WITHIN_MS },
    );
  }

  /** It keeps nothing for a next lease: it holds what it is seen to hold. */
  gone(backfillId: string, workerId: string): void {
    this.#byBackfill.get(backfillId)?.delete(workerId);
  }

  /** `held`: the worker of each lease that it holds now. */
  of(backfillId: string, held: readonly string[]): LeaseHolder[] {
    const now = this.#clock.monotonic();
    const holdings = this.#byBackfill.get(backfillId) ?? new Map<string, Holding>();
    this.#byBackfill.set(backfillId, holdings);
    const counts = new Map(
      [...Map.groupBy(held, (workerId) => workerId)].map(([id, { length }]) => [id, length]),
    );
    for (const workerId of counts.keys())
      if (!holdings.has(workerId))
        holdings.set(workerId, { workerId, leases: 0, atMs: now, published: 0, demand: null });
    for (const [workerId, holding] of holdings) {
      const leases = counts.get(workerId) ?? 0;
      if (leases < holding.leases && now - holding.atMs < PEAK_MS) continue;
      Object.assign(holding, { leases, atMs: now });
      if (leases === 0) holdings.delete(workerId);
    }
    if (holdings.size === 0) this.#byBackfill.delete(backfillId);
    return [...holdings.values()].map(({ workerId, leases, demand }) => ({
      workerId,
      leases,
      demand: demand?.demand ?? null,
    }));
  }

  /** Those that may publish now. */
  keepOnly(backfillIds: ReadonlySet<string>): void {
    for (const id of this.#byBackfill.keys()) if (!backfillIds.has(id)) this.#byBackfill.delete(id);
  }
}
