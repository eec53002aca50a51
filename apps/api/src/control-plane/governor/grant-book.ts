/**
 * Who may publish how fast now, in memory. Everything here can be lost: after a restart of the api the leases are read from the
 * database within a pass. What an earlier process granted them their workers say with their next tick: until then such a lease is granted nothing
 * new, since that might be more than it has, and nobody else rises. Meanwhile the workers fall to their safe rates.
 *
 * A grant is worth no more than the plan it came from. Ticks renew grants, and go on doing so when the governor hangs or fails
 * at every pass; then nobody looks at the signals any more. So a grant is valid until `plan + 2 s`, whoever asks for it: from then on the
 * workers have their safe rates, and nothing once the plan is as old as a lease may get.
 */
import { type Grant, grantValidMs, type Lease, leaseMs } from '@spillway/shared/api/worker-protocol';
import { divideLeases } from '@spillway/shared/governor/divide-leases';
import { handOver } from '@spillway/shared/governor/hand-over';
import type { Clock } from '../context.ts';
import { LeaseHolders } from './lease-holders.ts';

export interface GrantedLease {
  readonly leaseId: string;
  readonly backfillId: string;
  readonly pipelineId: string;
  readonly workerId: string;
  readonly kind: Lease['kind'];
}

interface Entry extends GrantedLease {
  /** By its attempts so far, as last heard; null: not heard yet. */
  published: number | null;
  /** The same when it was given out, or first heard of. */
  publishedBefore: number | null;
  readonly enteredMs: number;
  /** What it has published was last told then; before that it began. */
  toldMs: number;
  /** Grants the worker may still be acting on, oldest first; the last one is the newest sent. Infinite: of an earlier process, and not heard yet. */
  unsettled: { readonly sequence: number; readonly eventsPerSecond: number }[];
  sentAtMs: number;
}

/** The rates in force for a pipeline, from the governor's last pass. */
export interface RatePlan {
  readonly eventsPerSecond: number;
  readonly backfills: ReadonlyMap<string, number>;
}

/** What the book knew at a moment. */
export interface BookSight {
  /** By the clock. */
  readonly atMs: number;
  readonly leaseIds: readonly string[];
  /** Of each that has leases which publish. */
  readonly backfills: ReadonlyMap<
    string,
    {
      /** When the one of them was told of that has been silent for longest. */
      readonly toldMs: number;
      /** What their workers may be using, events/s, as far as it is known: a cut is none before they have told of it. */
      readonly usedAtMost: number;
    }
  >;
}

const FORGET_CLOSED_MS = 5_000;
const FORGET_SERVED_MS = 600_000;
/** Part of the rate a worker may go on with once its grant has run out. */
const SAFE_PART = 0.1;
/** A grant that is never renewed is good for as many events as at its rate in so long. */
export const lastingMs = grantValidMs + SAFE_PART * (leaseMs - grantValidMs);

export class GrantBook {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #plans = new Map<string, RatePlan & { readonly madeMs: number }>();
  readonly #holders: LeaseHolders;
  readonly #closed = new Map<string, number>();
  /** By backfill: when a lease of it was last given out or came back. */
  readonly #served = new Map<string, number>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#holders = new LeaseHolders(clock);
  }

  /**
   * A lease that has been granted (again): it begins at rate zero until {@link distribute} finds it one. `published`: what its earlier
   * attempts have published.
   */
  open(lease: GrantedLease, published: number): void {
    this.#enter(lease, 0, published);
    this.#served.set(lease.backfillId, this.#clock.monotonic());
  }

  /** -Infinity: this process has given out none of it. */
  lastServedMs(backfillId: string): number {
    return this.#served.get(backfillId) ?? Number.NEGATIVE_INFINITY;
  }

  /** For how long this process knows that it is held. */
  heldMs(leaseId: string): number {
    const entry = this.#entries.get(leaseId);
    return entry === undefined ? 0 : this.#clock.monotonic() - entry.enteredMs;
  }

  /** Since it was given out, or since this process has heard of it. */
  hasPublished(leaseId: string): boolean {
    const entry = this.#entries.get(leaseId);
    return (entry?.published ?? 0) > (entry?.publishedBefore ?? 0);
  }

  close(leaseId: string): void {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined) return;
    this.#entries.delete(leaseId);
    this.#closed.set(leaseId, this.#clock.monotonic());
    this.#served.set(entry.backfillId, this.#clock.monotonic());
  }

  /** One whose worker is gone: nobody waits for the worker's next. */
  lose(leaseId: string): void {
    const entry = this.#entries.get(leaseId);
    if (entry !== undefined) this.#holders.gone(entry.backfillId, entry.workerId);
    this.close(leaseId);
  }

  /**
   * Takes over what the database holds and the book does not: leases granted by an earlier process of this api. What was closed a
   * moment ago is not among them: the database was read before.
   */
  adopt(lease: GrantedLease): void {
    const now = this.#clock.monotonic();
    for (const [leaseId, closedMs] of this.#closed)
      if (now - closedMs > FORGET_CLOSED_MS) this.#closed.delete(leaseId);
    if (!this.#entries.has(lease.leaseId) && !this.#closed.has(lease.leaseId))
      this.#enter(lease, Number.POSITIVE_INFINITY, null);
  }

  /** What the worker says it was granted for a lease, and in which order. It goes on from there, also where the clock has been set back meanwhile. */
  learn(
    workerId: string,
    leaseId: string,
    { sequence, eventsPerSecond }: { readonly sequence: number; readonly eventsPerSecond: number },
  ): void {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined || entry.workerId !== workerId || isKnown(entry)) return;
    this.#sequence = Math.max(this.#sequence, sequence);
    entry.unsettled = [{ sequence: this.#nextSequence(), eventsPerSecond }];
  }

  /** What a lease has published, its earlier attempts included; told at `toldMs`, by the clock. */
  heard(leaseId: string, published: number, toldMs = this.#clock.monotonic()): void {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined) return;
    this.#holders.published(entry.backfillId, entry.workerId, published - (entry.published ?? published));
    entry.published = Math.max(published, entry.published ?? 0);
    entry.toldMs = Math.max(toldMs, entry.toldMs);
    entry.publishedBefore ??= published;
  }

  /** Once all leases of a worker have been heard: what it uses of what it was granted. */
  followDemand(workerId: string): void {
    const own = this.#replaying((entry) => entry.workerId === workerId && isKnown(entry));
    for (const [backfillId, leases] of Map.groupBy(own, (entry) => entry.backfillId)) {
      const granted = leases.map(({ unsettled }) =>
        Math.min(...unsettled.map(({ eventsPerSecond }) => eventsPerSecond)),
      );
      this.#holders.follow(
        backfillId,
        workerId,
        granted.reduce((sum, rate) => sum + rate, 0),
      );
    }
  }

  /** To be held against what is read from the database next: what is told meanwhile may not be in that. */
  sight(): BookSight {
    const backfills = Map.groupBy(
      this.#replaying(() => true),
      ({ backfillId }) => backfillId,
    );
    return {
      atMs: this.#clock.monotonic(),
      leaseIds: [...this.#entries.keys()],
      backfills: new Map(
        [...backfills].map(([id, entries]) => [
          id,
          {
            toldMs: Math.min(...entries.map(({ toldMs }) => toldMs)),
            usedAtMost: entries.filter(isKnown).reduce((sum, entry) => sum + boundOf(entry), 0),
          },
        ]),
      ),
    };
  }

  setPlan(pipelineId: string, plan: RatePlan): void {
    this.#plans.set(pipelineId, { ...plan, madeMs: this.#clock.monotonic() });
    const planned = new Set([...this.#plans.values()].flatMap(({ backfills }) => [...backfills.keys()]));
    this.#holders.keepOnly(planned);
    this.#forgetServed(planned);
  }

  /** Of what may not publish now and was served long ago, nobody asks when. */
  #forgetServed(planned: ReadonlySet<string>): void {
    const now = this.#clock.monotonic();
    for (const [backfillId, servedMs] of this.#served)
      if (!planned.has(backfillId) && now - servedMs > FORGET_SERVED_MS) this.#served.delete(backfillId);
  }

  planned(pipelineId: string, backfillId: string): number {
    return this.#plans.get(pipelineId)?.backfills.get(backfillId) ?? 0;
  }

  /** The worker acts on grant `sequence`: older ones are settled. One that had the lease before says nothing about it. */
  acknowledge(workerId: string, leaseId: string, sequence: number): void {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined || entry.workerId !== workerId) return;
    const newest = entry.unsettled.findLastIndex((grant) => grant.sequence <= sequence);
    if (newest > 0) entry.unsettled = entry.unsettled.slice(newest);
  }

  /**
   * Sequence of the newest grant of every lease of a backfill that publishes. Null while nobody knows what one of them has: no sequence of this
   * process need be above what its worker reports of an earlier one, whose clock may have been ahead.
   */
  newestSequences(backfillId: string): Map<string, number> | null {
    const own = this.#replaying((entry) => entry.backfillId === backfillId);
    return own.every(isKnown) ? new Map(own.map((entry) => [entry.leaseId, newestOf(entry).sequence])) : null;
  }

  /** Brings the pipeline's leases towards the plan. Returns those whose grant changed. */
  distribute(pipelineId: string): string[] {
    const plan = this.#plans.get(pipelineId);
    if (plan === undefined) return [];
    const entries = this.#replaying((entry) => entry.pipelineId === pipelineId);
    const shares = this.#shares(plan, entries);
    const leases = entries.map((entry) => ({
      leaseId: entry.leaseId,
      backfillId: entry.backfillId,
      target: shares.get(entry.backfillId)?.get(entry.workerId) ?? 0,
      bound: boundOf(entry),
    }));
    const grants = handOver(leases, plan.backfills, plan.eventsPerSecond);
    return entries
      .filter((entry) => isKnown(entry) && this.#change(entry, grants.get(entry.leaseId) ?? 0))
      .map((entry) => entry.leaseId);
  }

  /** The newest grant, to be sent now. Null for a lease that is not in the book, or of which nobody knows what it has. */
  send(leaseId: string): Grant | null {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined || !isKnown(entry)) return null;
    const now = this.#clock.monotonic();
    entry.sentAtMs = now;
    const { sequence, eventsPerSecond } = newestOf(entry);
    const planAgeMs = now - (this.#plans.get(entry.pipelineId)?.madeMs ?? Number.NEGATIVE_INFINITY);
    return {
      leaseId,
      sequence,
      eventsPerSecond,
      validForMs: Math.max(0, Math.floor(grantValidMs - planAgeMs)),
      safeEventsPerSecond: planAgeMs < leaseMs ? eventsPerSecond * SAFE_PART : 0,
    };
  }

  /** Leases whose worker has heard nothing for this long, though their grant stands. */
  unsentFor(ms: number): string[] {
    const before = this.#clock.monotonic() - ms;
    return this.#replaying((entry) => entry.sentAtMs < before).map((entry) => entry.leaseId);
  }

  workerOf(leaseId: string): string | undefined {
    return this.#entries.get(leaseId)?.workerId;
  }

  pipelinesOf(leaseIds: ReadonlySet<string>): Set<string> {
    return new Set(this.#replaying((entry) => leaseIds.has(entry.leaseId)).map((entry) => entry.pipelineId));
  }

  /** Events/s granted to each backfill of the pipeline that has leases, as far as that is known. */
  grantedBy(pipelineId: string): Map<string, number> {
    const granted = new Map<string, number>();
    for (const entry of this.#replaying((other) => other.pipelineId === pipelineId && isKnown(other)))
      granted.set(entry.backfillId, (granted.get(entry.backfillId) ?? 0) + newestOf(entry).eventsPerSecond);
    return granted;
  }

  #enter(lease: GrantedLease, eventsPerSecond: number, published: number | null): void {
    this.#closed.delete(lease.leaseId);
    this.#entries.set(lease.leaseId, {
      ...lease,
      published,
      publishedBefore: published,
      enteredMs: this.#clock.monotonic(),
      toldMs: this.#clock.monotonic(),
      unsettled: [{ sequence: this.#nextSequence(), eventsPerSecond }],
      sentAtMs: Number.NEGATIVE_INFINITY,
    });
  }

  #change(entry: Entry, eventsPerSecond: number): boolean {
    if (newestOf(entry).eventsPerSecond === eventsPerSecond) return false;
    entry.unsettled.push({ sequence: this.#nextSequence(), eventsPerSecond });
    return true;
  }

  #replaying(which: (entry: Entry) => boolean): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.kind === 'replay' && which(entry));
  }

  /** By backfill and worker, events/s for each of its leases. */
  #shares(plan: RatePlan, entries: readonly Entry[]): Map<string, ReadonlyMap<string, number>> {
    return new Map(
      [...Map.groupBy(entries, (entry) => entry.backfillId)].map(([backfillId, own]) => {
        const holders = this.#holders.of(
          backfillId,
          own.map(({ workerId }) => workerId),
        );
        return [backfillId, divideLeases(plan.backfills.get(backfillId) ?? 0, holders)];
      }),
    );
  }

  /** Above any that an earlier process gave out: workers ignore a lower sequence than the one they have. */
  #nextSequence(): number {
    this.#sequence = Math.max(this.#sequence + 1, this.#clock.now());
    return this.#sequence;
  }
}

function isKnown(entry: Entry): boolean {
  return newestOf(entry).eventsPerSecond !== Number.POSITIVE_INFINITY;
}

/** The most its worker may be using, events/s. */
function boundOf({ unsettled }: Entry): number {
  return Math.max(...unsettled.map(({ eventsPerSecond }) => eventsPerSecond));
}

function newestOf(entry: Entry): { readonly sequence: number; readonly eventsPerSecond: number } {
  return entry.unsettled.at(-1) as Entry['unsettled'][number];
}
