/**
 * The replay role: holds leases, reads history, publishes at the granted rate, proves what was done.
 *
 * A lease is trusted until `asked + deadline − margin` on this machine's monotonic clock, where `asked` is the moment before
 * the request that granted or renewed it was sent: however long the answer took, we stop before the database would give the
 * lease to another. When the api is gone, renewals stop coming, grants fall to the safe rate after two seconds, and at the
 * deadline the attempt ends by itself. What it had published by then is de-duplicated at apply.
 */
import type { Failure } from '@spillway/shared/api/backfill';
import type { Lease, QuarantineReport, TickAnswer, WorkerPush } from '@spillway/shared/api/worker-protocol';
import type { ControlClient } from '../control/control-client.ts';
import { ControlError } from '../control/control-client.ts';
import { keepMembership, type Membership, type MembershipOptions, type RoleReport } from '../control/membership.ts';
import { pause } from '../pause.ts';
import type { DurableStream, HistorySource, StoreReader } from '../ports.ts';
import { SourceError } from '../ports.ts';
import { proveLane } from '../proof/prove-lane.ts';
import { GrantPool } from './grant-pool.ts';
import { type RunProgress, readRun } from './read-run.ts';
import { StageClock } from './stage-clock.ts';
import { reportStatistics } from './statistics.ts';
import { type KnownPipelines, knownPipelines } from './known-pipelines.ts';

export interface ReplayWorkerOptions extends Omit<MembershipOptions, 'role'> {
  readonly control: ControlClient;
  /** Sources that share a file share one history, and decode it once. */
  readonly historyOf: (source: { readonly sourceId: string; readonly connector: string; readonly config: unknown }) => HistorySource;
  readonly openStream: (name: string) => Promise<DurableStream>;
  readonly store: Pick<StoreReader, 'proof'>;
  readonly maxLeases?: number;
}

interface Attempt {
  readonly lease: Lease;
  readonly progress: RunProgress;
  readonly stop: AbortController;
  deadlineMs: number;
  /** Its task has ended and must not be reported as running any more. */
  ended: 'no' | 'stopped' | 'settled';
  readonly proof: { bucketsChecked: number; bucketsMatched: number; eventsChecked: number };
}

const DEADLINE_MARGIN_MS = 500;
const CLAIM_AGAIN_MS = 500;
const MAX_LEASES = 8;
const MAX_QUARANTINE_REPORTS = 100;

/** Resolves when the signal has aborted and every attempt has stopped and been given back. */
export async function runReplayWorker(options: ReplayWorkerOptions): Promise<void> {
  const { clock, control, signal, log } = options;
  const attempts = new Map<string, Attempt>();
  const pools = new Map<string, GrantPool>();
  const stage = new StageClock(clock);
  const known: KnownPipelines = knownPipelines(options.openStream);
  let membership: Membership | null = null;
  let quarantined: QuarantineReport[] = [];
  let eventsPublishedByEnded = 0;
  let claiming = false;
  let lastEmptyClaimMs = Number.NEGATIVE_INFINITY;
  const tasks = new Set<Promise<void>>();

  // Membership outlives the drain by one tick, so that the leases given back are known to be free.
  const leave = new AbortController();
  signal.addEventListener('abort', () => void drain());

  await keepMembership({ ...options, role: 'replay', signal: leave.signal }, { joined, pushed, report });

  function joined(answer: Parameters<Parameters<typeof keepMembership>[1]['joined']>[0], member: Membership): void {
    membership = member;
    // Leases of an earlier membership are another worker's as far as the api is concerned.
    for (const attempt of attempts.values()) attempt.stop.abort();
    for (const pipeline of answer.pipelines) known.learn(pipeline);
    for (const pipeline of answer.pipelines) spawn(reportStatistics(options, member.workerId, pipeline));
    void claimMore();
  }

  function pushed(push: WorkerPush): void {
    switch (push.type) {
      case 'grants':
        for (const grant of push.grants) poolOf(grant.leaseId)?.grant(grant);
        // The cut is acknowledged at once: the rate lent on may grow, and a throttle is in effect.
        void membership?.tickNow();
        break;
      case 'stop':
        for (const leaseId of push.leaseIds) attempts.get(leaseId)?.stop.abort();
        break;
      case 'wake':
        void claimMore();
        break;
      case 'settings':
        known.learn(push.pipeline);
        break;
      case 'count': {
        const pipeline = known.pipeline(push.pipelineId);
        if (pipeline !== null && membership !== null) spawn(reportStatistics(options, membership.workerId, { ...pipeline, sources: pipeline.sources.map((source) => ({ ...source, fingerprint: null })) }));
        break;
      }
    }
  }

  function report(): { body: RoleReport; delivered(answer: TickAnswer, askedAtMs: number): void } {
    const rows = quarantined.slice(0, MAX_QUARANTINE_REPORTS);
    const reported = [...attempts.values()].filter((attempt) => attempt.ended !== 'settled');
    const stopped = reported.filter((attempt) => attempt.ended === 'stopped');
    return {
      body: {
        leases: reported.map(leaseReport),
        quarantined: rows,
        replay: { eventsPublished: eventsPublished(), stage: stage.drain() },
        apply: null,
        feed: null,
      },
      delivered(answer, askedAtMs) {
        quarantined = quarantined.slice(rows.length);
        for (const attempt of stopped) forget(attempt);
        for (const verdict of answer.leases) {
          const attempt = attempts.get(verdict.leaseId);
          if (attempt === undefined) continue;
          if (verdict.verdict === 'stale_fencing_token') {
            attempt.stop.abort();
            continue;
          }
          attempt.deadlineMs = askedAtMs + verdict.deadlineMs - DEADLINE_MARGIN_MS;
          const pool = poolOf(verdict.leaseId);
          pool?.renew(verdict.leaseId, attempt.deadlineMs);
          if (verdict.grant !== null) pool?.grant(verdict.grant);
        }
        void claimMore();
      },
    };
  }

  function leaseReport(attempt: Attempt) {
    const { lease, progress, proof } = attempt;
    return {
      leaseId: lease.id,
      fencingToken: lease.fencingToken,
      cursor: progress.cursor,
      read: progress.read,
      published: progress.published,
      quarantined: progress.quarantined,
      grantSequence: poolOf(lease.id)?.sequence(lease.id) ?? 0,
      stopped: attempt.ended === 'stopped',
      ...proof,
    };
  }

  async function claimMore(): Promise<void> {
    const free = (options.maxLeases ?? MAX_LEASES) - attempts.size;
    if (claiming || free <= 0 || membership === null || signal.aborted) return;
    if (clock.monotonic() - lastEmptyClaimMs < CLAIM_AGAIN_MS && attempts.size > 0) return;
    claiming = true;
    try {
      const askedAtMs = clock.monotonic();
      const { leases } = await control.claim(membership.workerId, free);
      if (leases.length === 0) lastEmptyClaimMs = clock.monotonic();
      for (const lease of leases) begin(lease, askedAtMs + lease.deadlineMs - DEADLINE_MARGIN_MS);
    } catch (error) {
      lastEmptyClaimMs = clock.monotonic();
      log.warn({ reason: messageOf(error) }, 'no lease claimed');
    } finally {
      claiming = false;
    }
  }

  function begin(lease: Lease, deadlineMs: number): void {
    const attempt: Attempt = {
      lease,
      progress: { cursor: lease.cursor, read: lease.read, published: lease.published, quarantined: lease.quarantined },
      stop: new AbortController(),
      deadlineMs,
      ended: 'no',
      proof: { bucketsChecked: 0, bucketsMatched: 0, eventsChecked: 0 },
    };
    attempts.set(lease.id, attempt);
    if (lease.kind === 'replay') {
      const pool = pools.get(lease.backfillId) ?? new GrantPool(clock);
      pools.set(lease.backfillId, pool);
      pool.grant(lease.grant, deadlineMs);
    }
    if (signal.aborted) attempt.stop.abort();
    spawn(work(attempt));
  }

  /** One attempt from claim to its end. Never rejects: whatever happens is told to the api or left to the lease's expiry. */
  async function work(attempt: Attempt): Promise<void> {
    try {
      const done = attempt.lease.kind === 'replay' ? await replay(attempt) : await prove(attempt);
      if (!done) return await stopped(attempt);
    } catch (error) {
      if (attempt.stop.signal.aborted) return await stopped(attempt);
      await failed(attempt, error);
    }
    attempt.ended = 'settled';
    eventsPublishedByEnded += attempt.progress.published - attempt.lease.published;
    attempts.delete(attempt.lease.id);
    // The successor takes over the rate before this one's share of it is given up.
    lastEmptyClaimMs = Number.NEGATIVE_INFINITY;
    await claimMore();
    releaseGrant(attempt);
  }

  async function replay(attempt: Attempt): Promise<boolean> {
    const { lease } = attempt;
    const pipeline = await known.open(lease.pipelineId);
    const source = pipeline.sources.get(lease.sourceId);
    const pool = pools.get(lease.backfillId);
    if (source === undefined || pool === undefined) throw new SourceError('source_missing', `source ${lease.sourceId} is not known to this worker`);
    const outcome = await readRun({
      lease,
      history: options.historyOf(source),
      stream: pipeline.replayStream,
      bucket: pool.bucket,
      gate: pipeline.gate,
      stage,
      clock,
      signal: attempt.stop.signal,
      deadlineMs: () => attempt.deadlineMs,
      progress: attempt.progress,
      quarantine: (rows) => {
        for (const { sourceId, address, code, detail } of rows) quarantined.push({ backfillId: lease.backfillId, sourceId, address, code, detail });
      },
    });
    if (outcome.type === 'stopped') return false;
    const { read, published, quarantined: parked } = attempt.progress;
    await untilAnswered(attempt, () =>
      control.complete(lease.id, {
        fencingToken: lease.fencingToken,
        read,
        published,
        quarantined: parked,
        markers: [{ partition: 0, offset: outcome.marker }],
        verification: null,
      }),
    );
    return true;
  }

  async function prove(attempt: Attempt): Promise<boolean> {
    const { lease } = attempt;
    const pipeline = await known.open(lease.pipelineId);
    const source = pipeline.sources.get(lease.sourceId);
    if (source === undefined) throw new SourceError('source_missing', `source ${lease.sourceId} is not known to this worker`);
    const verification = await proveLane({
      history: options.historyOf(source),
      store: options.store,
      sourceId: lease.sourceId,
      window: { from: lease.from, to: lease.to },
      bucketMs: pipeline.bucketMs,
      clock,
      signal: attempt.stop.signal,
      mayContinue: () => !attempt.stop.signal.aborted && clock.monotonic() < attempt.deadlineMs,
      progressed: (proof) => Object.assign(attempt.proof, proof),
    });
    if (verification === null) return false;
    await untilAnswered(attempt, () =>
      control.complete(lease.id, { fencingToken: lease.fencingToken, read: 0, published: 0, quarantined: 0, markers: [], verification }),
    );
    return true;
  }

  /** The api may be restarting: ask again until it answers or the lease is over. A stale token ends it silently: the work is another's. */
  async function untilAnswered(attempt: Attempt, ask: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof ControlError)) throw error;
        if (error.kind === 'stale' || error.kind === 'unknown_worker') return;
        if (error.kind === 'refused' || clock.monotonic() >= attempt.deadlineMs) throw error;
        await pause(200, attempt.stop.signal);
        if (attempt.stop.signal.aborted) return;
      }
    }
  }

  async function stopped(attempt: Attempt): Promise<void> {
    attempt.ended = 'stopped';
    releaseGrant(attempt);
    await membership?.tickNow();
  }

  async function failed(attempt: Attempt, error: unknown): Promise<void> {
    const { failure, retriable } = failureOf(error);
    log.warn({ err: error, leaseId: attempt.lease.id, failure }, 'attempt failed');
    await untilAnswered(attempt, () => control.fail(attempt.lease.id, { fencingToken: attempt.lease.fencingToken, failure, retriable })).catch(() => {});
  }

  function forget(attempt: Attempt): void {
    if (attempts.get(attempt.lease.id) === attempt) attempts.delete(attempt.lease.id);
    eventsPublishedByEnded += attempt.progress.published - attempt.lease.published;
    attempt.ended = 'settled';
  }

  function releaseGrant(attempt: Attempt): void {
    const pool = pools.get(attempt.lease.backfillId);
    pool?.release(attempt.lease.id);
    if (pool?.size === 0) pools.delete(attempt.lease.backfillId);
  }

  function poolOf(leaseId: string): GrantPool | undefined {
    const attempt = attempts.get(leaseId);
    return attempt && pools.get(attempt.lease.backfillId);
  }

  function eventsPublished(): number {
    let total = eventsPublishedByEnded;
    for (const { progress, lease } of attempts.values()) total += progress.published - lease.published;
    return total;
  }

  function spawn(task: Promise<void>): void {
    const tracked = task.catch((error) => log.warn({ err: error }, 'task failed')).finally(() => tasks.delete(tracked));
    tasks.add(tracked);
  }

  async function drain(): Promise<void> {
    for (const attempt of attempts.values()) attempt.stop.abort();
    await Promise.race([Promise.all([...tasks]), pause(2_000, new AbortController().signal)]);
    leave.abort();
    await known.close();
  }
}

function failureOf(error: unknown): { failure: Failure; retriable: boolean } {
  if (error instanceof SourceError) {
    return { failure: { code: error.code, detail: error.message, address: error.address }, retriable: error.code === 'source_unavailable' };
  }
  return { failure: { code: 'attempt_failed', detail: messageOf(error), address: null }, retriable: true };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
