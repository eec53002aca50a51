/**
 * A replay worker's reports on its leases: progress, renewal, and what it gives back.
 *
 * Invariant: only the holder of the newest token of a lease that has not expired (by the database's clock) moves progress. Numbers
 * are absolute; the backfill moves by the difference to the last report, in the same statement.
 */
import {
  type LeaseReport,
  leaseMs,
  type QuarantineReport,
  type TickAnswer,
} from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { acknowledgeReceipts, settleThrottles } from '../backfill/receipts.ts';
import { settle } from '../backfill/settle.ts';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Transaction, unitOfWork } from '../database/database.ts';
import { backfills, quarantine } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { pushGrants } from '../governor/push-grants.ts';
import { leaseInterval } from './claim.ts';

interface Renewed {
  readonly id: string;
  readonly backfill_id: string;
  readonly state: string;
}

export async function recordLeaseReports(
  ctx: ControlContext,
  workerId: string,
  reports: readonly LeaseReport[],
  quarantined: readonly QuarantineReport[],
  /** When they came, by the clock: nothing that is published while they are written down is in them. */
  toldMs: number,
): Promise<TickAnswer['leases']> {
  if (reports.length === 0 && quarantined.length === 0) return [];
  const { grants, throttles } = governorMemory(ctx);
  for (const report of reports) {
    grants.learn(workerId, report.leaseId, {
      sequence: report.grantSequence,
      eventsPerSecond: report.grantedEventsPerSecond,
    });
    grants.acknowledge(workerId, report.leaseId, report.grantSequence);
    if (grants.workerOf(report.leaseId) === workerId)
      throttles.acknowledge(report.leaseId, report.grantSequence);
  }
  const settledThrottles = throttles.settled();

  const renewed = await unitOfWork(ctx.database, async ({ tx, afterCommit }) => {
    const locked = await lockBackfillsOf(tx, reports);
    const rows = reports.length === 0 ? [] : await renew(tx, workerId, reports);
    if (quarantined.length > 0)
      await tx
        .insert(quarantine)
        .values([...quarantined])
        .onConflictDoNothing();
    if (settledThrottles.length > 0) await settleThrottles(tx, settledThrottles);
    const stopped = new Set(rows.filter((row) => row.state !== 'leased').map((row) => row.backfill_id));
    for (const row of locked) if (stopped.has(row.id)) await reactToStop(tx, row);
    afterCommit(async () => {
      await announce(ctx, ...stopped);
    });
    return rows;
  });
  throttles.close(settledThrottles);

  const held = new Map(renewed.map((row) => [row.id, row]));
  for (const report of reports)
    if (grants.workerOf(report.leaseId) === workerId && held.has(report.leaseId))
      grants.heard(report.leaseId, report.published, toldMs);
  grants.followDemand(workerId);
  for (const report of reports) {
    if (held.get(report.leaseId)?.state === 'leased') continue;
    // Another worker may hold it by now: then it is open, and a throttle waits for that one's word.
    if ((grants.workerOf(report.leaseId) ?? workerId) !== workerId) continue;
    grants.close(report.leaseId);
    throttles.gone(report.leaseId);
  }
  regrant(ctx, reports);
  return reports.map((report) => {
    const renewal = held.get(report.leaseId);
    if (renewal === undefined)
      return { leaseId: report.leaseId, verdict: 'stale_fencing_token', deadlineMs: 0, grant: null };
    return {
      leaseId: report.leaseId,
      verdict: 'renewed',
      deadlineMs: renewal.state === 'leased' ? leaseMs : 0,
      grant: grants.send(report.leaseId),
    };
  });
}

/** An acknowledged cut may let another lease rise. */
function regrant(ctx: ControlContext, reports: readonly LeaseReport[]): void {
  const { grants } = governorMemory(ctx);
  const own = new Set(reports.map((report) => report.leaseId));
  const changed = [...grants.pipelinesOf(own)].flatMap((pipelineId) => grants.distribute(pipelineId));
  pushGrants(
    ctx,
    changed.filter((leaseId) => !own.has(leaseId)),
  );
}

async function lockBackfillsOf(tx: Transaction, reports: readonly LeaseReport[]): Promise<BackfillRow[]> {
  const leaseIds = sql.param(reports.map((report) => report.leaseId));
  return tx
    .select()
    .from(backfills)
    .where(sql`${backfills.id} in (select backfill_id from runs where id = any(${leaseIds}::text[]))`)
    .orderBy(backfills.id)
    .for('update');
}

async function reactToStop(tx: Transaction, row: BackfillRow): Promise<void> {
  if (row.state === 'pausing' || row.state === 'cancelling' || row.state === 'verifying')
    await acknowledgeReceipts(tx, row.id);
  await settle(tx, row);
}

async function renew(tx: Transaction, workerId: string, reports: readonly LeaseReport[]): Promise<Renewed[]> {
  const { rows } = await tx.execute<Renewed & Record<string, unknown>>(sql`
    with report as (
      select * from jsonb_to_recordset(${JSON.stringify(reports)}::jsonb) as x("leaseId" text, "fencingToken" bigint, cursor text, read bigint, published bigint,
        again bigint, ahead bigint, quarantined bigint, stopped boolean, "bucketsChecked" bigint, "bucketsMatched" bigint, "eventsChecked" bigint, "streamPeak" bigint)
    ), before as (
      select r.* from runs r join report x on x."leaseId" = r.id
      where r.worker_id = ${workerId} and r.state = 'leased' and r.fencing_token = x."fencingToken" and r.lease_expires_at > clock_timestamp()
    ), renewed as (
      update runs r set
        cursor = coalesce(x.cursor, r.cursor),
        read = greatest(r.read, x.read), published = greatest(r.published, x.published), again = greatest(r.again, x.again), ahead = coalesce(x.ahead, 0), quarantined = greatest(r.quarantined, x.quarantined),
        buckets_checked = x."bucketsChecked", buckets_matched = x."bucketsMatched", events_checked = x."eventsChecked",
        failures = case when x.cursor is distinct from b.cursor and x.cursor is not null then 0 else r.failures end,
        state = case when x.stopped then 'pending' else 'leased' end,
        worker_id = case when x.stopped then null else r.worker_id end,
        lease_expires_at = case when x.stopped then null else clock_timestamp() + ${leaseInterval} end
      from before b join report x on x."leaseId" = b.id
      where r.id = b.id
      returning r.id, r.backfill_id, r.state, r.read - b.read as read, r.published - b.published as published, r.again - b.again as again,
        r.buckets_checked - b.buckets_checked as buckets_checked, r.buckets_matched - b.buckets_matched as buckets_matched, r.events_checked - b.events_checked as events_checked, coalesce(x."streamPeak", 0) as stream_peak
    ), gained as (
      select backfill_id, sum(read) as read, sum(published) as published, sum(again) as again, sum(buckets_checked) as buckets_checked, sum(buckets_matched) as buckets_matched,
        sum(events_checked) as events_checked, max(stream_peak) as stream_peak
      from renewed group by 1
    ), progressed as (
      update backfills f set events_read = f.events_read + g.read, events_published = f.events_published + g.published, events_again = f.events_again + g.again,
        buckets_checked = f.buckets_checked + g.buckets_checked, buckets_matched = f.buckets_matched + g.buckets_matched, events_checked = f.events_checked + g.events_checked,
        stream_peak = greatest(f.stream_peak, g.stream_peak)
      from gained g where f.id = g.backfill_id and (g.read, g.published, g.buckets_checked, g.events_checked) <> (0, 0, 0, 0)
    )
    select id, backfill_id, state from renewed`);
  return rows;
}
