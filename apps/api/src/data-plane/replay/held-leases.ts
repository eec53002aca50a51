/**
 * The leases this worker holds, one attempt each, and the rates they were granted.
 *
 * A lease is trusted until `asked + deadline − margin` on this machine's monotonic clock, where `asked` is the moment before
 * the request that granted or renewed it was sent: however long the answer took, we stop before the database would give the
 * lease to another.
 *
 * A lease's id outlives its attempts: what was given back, or expired, may be granted to this very worker again while the old
 * attempt is still winding up. So an answer is applied to the attempt that was reported, never to whoever holds the id by
 * then, and an attempt that has been superseded touches neither the list nor the rates.
 */
import type { Grant, Lease, LeaseReport, TickAnswer } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import type { Account } from '../meter/usage-ledger.ts';
import { GrantPool } from './grant-pool.ts';
import type { RunProgress } from './read-run.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface Attempt {
  readonly lease: Lease;
  readonly progress: RunProgress;
  readonly proof: { bucketsChecked: number; bucketsMatched: number; eventsChecked: number };
  /** The rate it shares with the other leases of its backfill. */
  readonly bucket: TokenBucket;
  readonly stop: AbortController;
  /** It is somebody else's turn: it ends with its next checkpoint (read-run.ts). */
  readonly askedBack: AbortController;
  /** By the monotonic clock: nothing is published from then on. */
  deadlineMs: number;
  /** It has ended and publishes nothing more; the api has yet to hear of it. */
  stopped: boolean;
}

const DEADLINE_MARGIN_MS = 500;
/** Longer than a claim waits for its answer. */
const REMEMBERED_MS = 10_000;

export class HeldLeases {
  readonly #clock: Clock;
  readonly #attempts = new Map<string, Attempt>();
  readonly #pools = new Map<string, GrantPool>();
  /** Stops of leases not held here: the push may overtake the answer that brings the lease. */
  readonly #toldToStop = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Whose leases they are, and `others`, each once. */
  accounts(others: readonly Account[]): Account[] {
    const leases = [...this.#attempts.values()].map(({ lease }): Account => lease);
    const byBackfill = new Map([...others, ...leases].map((account) => [account.backfillId, account]));
    return [...byBackfill.values()].map(({ pipelineId, backfillId }) => ({ pipelineId, backfillId }));
  }

  begin(lease: Lease, askedAtMs: number): Attempt {
    const { id, backfillId, cursor, read, published, quarantined, again, ahead } = lease;
    this.#attempts.get(id)?.stop.abort();
    const deadlineMs = askedAtMs + lease.deadlineMs - DEADLINE_MARGIN_MS;
    const pool = this.#pools.get(backfillId) ?? new GrantPool(this.#clock);
    if (lease.kind === 'replay') {
      this.#pools.set(backfillId, pool);
      pool.enter(lease.grant, askedAtMs, deadlineMs);
    }
    const attempt: Attempt = {
      lease,
      progress: { cursor, read, published, quarantined, again, ahead, streamPeak: 0 },
      proof: { bucketsChecked: 0, bucketsMatched: 0, eventsChecked: 0 },
      bucket: pool.bucket,
      stop: new AbortController(),
      askedBack: new AbortController(),
      deadlineMs,
      stopped: false,
    };
    this.#attempts.set(id, attempt);
    if ((this.#toldToStop.get(id) ?? Number.NEGATIVE_INFINITY) >= askedAtMs) attempt.stop.abort();
    return attempt;
  }

  /** Whether the attempt still is the one that holds its lease. */
  holds(attempt: Attempt): boolean {
    return this.#attempts.get(attempt.lease.id) === attempt;
  }

  isOver(attempt: Attempt): boolean {
    return attempt.stop.signal.aborted || this.#clock.monotonic() >= attempt.deadlineMs;
  }

  grant(grant: Grant, sentMs: number): void {
    this.#poolOf(grant.leaseId)?.grant(grant, sentMs);
  }

  stop(leaseIds: readonly string[]): void {
    const now = this.#clock.monotonic();
    for (const [leaseId, atMs] of this.#toldToStop)
      if (now - atMs > REMEMBERED_MS) this.#toldToStop.delete(leaseId);
    for (const leaseId of leaseIds) {
      this.#attempts.get(leaseId)?.stop.abort();
      this.#toldToStop.set(leaseId, now);
    }
  }

  /** Whatever is not held here yet is named again. */
  askBack(leaseIds: readonly string[]): void {
    for (const leaseId of leaseIds) this.#attempts.get(leaseId)?.askedBack.abort();
  }

  /** That share a backfill's rate. */
  sharers({ lease }: Attempt): number {
    return Math.max(1, this.#pools.get(lease.backfillId)?.size ?? 1);
  }

  stopAll(): void {
    for (const attempt of this.#attempts.values()) attempt.stop.abort();
  }

  /** Its share of the rate is nobody's any more. */
  releaseGrant({ lease }: Attempt): void {
    const successor = this.#attempts.get(lease.id);
    if (successor !== undefined && successor.lease.fencingToken !== lease.fencingToken) return;
    const pool = this.#pools.get(lease.backfillId);
    pool?.release(lease.id);
    if (pool?.size === 0) this.#pools.delete(lease.backfillId);
  }

  forget(attempt: Attempt): void {
    if (this.holds(attempt)) this.#attempts.delete(attempt.lease.id);
  }

  /** What to report of each lease now, and what to do with the answer. */
  report(): { leases: LeaseReport[]; answered(answer: TickAnswer, askedAtMs: number): void } {
    const reported = new Map(
      [...this.#attempts].map(([id, attempt]) => [id, { attempt, stopped: attempt.stopped }]),
    );
    return {
      leases: [...reported.values()].map(({ attempt }) => this.#reportOf(attempt)),
      answered: ({ leases }, askedAtMs) => {
        for (const { attempt, stopped } of reported.values()) if (stopped) this.forget(attempt);
        for (const { leaseId, verdict, deadlineMs, grant } of leases) {
          const attempt = reported.get(leaseId)?.attempt;
          if (attempt === undefined || !this.holds(attempt)) continue;
          if (verdict === 'stale_fencing_token') {
            attempt.stop.abort();
            continue;
          }
          attempt.deadlineMs = askedAtMs + deadlineMs - DEADLINE_MARGIN_MS;
          const pool = this.#poolOf(leaseId);
          pool?.renew(leaseId, attempt.deadlineMs);
          if (grant !== null) pool?.grant(grant, askedAtMs);
        }
      },
    };
  }

  #reportOf(attempt: Attempt): LeaseReport {
    const { lease, progress, proof, stopped } = attempt;
    const grant = this.#poolOf(lease.id)?.inForce(lease.id) ?? null;
    return {
      leaseId: lease.id,
      fencingToken: lease.fencingToken,
      ...progress,
      grantSequence: grant?.sequence ?? 0,
      grantedEventsPerSecond: grant?.eventsPerSecond ?? 0,
      stopped,
      ...proof,
    };
  }

  #poolOf(leaseId: string): GrantPool | undefined {
    const attempt = this.#attempts.get(leaseId);
    return attempt && this.#pools.get(attempt.lease.backfillId);
  }
}
