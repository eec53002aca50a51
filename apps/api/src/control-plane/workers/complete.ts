/** How an attempt ends by its worker's word: published (or proved), or failed. Errors of both: `stale_fencing_token`. */

import type { CompleteLease, FailLease } from '@spillway/shared/api/worker-protocol';
import { afterFailure } from '@spillway/shared/backfill/attempts';
import { and, eq, sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { acknowledgeReceipts } from '../backfill/receipts.ts';
import { settle } from '../backfill/settle.ts';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Transaction, type UnitOfWork, unitOfWork } from '../database/database.ts';
import { backfills, lanes, runs } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { advance, fail, inSource } from './advance.ts';
import { markDone } from './done-runs.ts';

type RunRow = typeof runs.$inferSelect;

const MAX_MISMATCHES = 100;

/** A repeated call, its first answer lost, changes nothing. */
export async function completeLease(
  ctx: ControlContext,
  leaseId: string,
  body: CompleteLease,
): Promise<void> {
  await endAttempt(ctx, leaseId, body.fencingToken, async (work, row, run) => {
    if (run.kind === 'verify') return recordProof(work.tx, row, run, await doubted(ctx, work.tx, run, body));
    work.afterCommit(() => governorMemory(ctx).grants.heard(leaseId, body.published));
    return recordPublished(work.tx, row, run, body);
  });
}

/** Again after a while, where `afterFailure` has patience with it; otherwise the run, and with it the backfill, has failed. */
export async function failLease(ctx: ControlContext, leaseId: string, body: FailLease): Promise<void> {
  await endAttempt(ctx, leaseId, body.fencingToken, async (work, row, run) => {
    const { tx } = work;
    const failures = run.failures + 1;
    const next = afterFailure(failures, body);
    await tx
      .update(runs)
      .set({
        state: next.type === 'again' ? 'pending' : 'failed',
        failures,
        failure: body.failure,
        workerId: null,
        leaseExpiresAt: null,
        retryAt:
          next.type === 'again' ? sql`clock_timestamp() + ${next.afterMs} * interval '1 millisecond'` : null,
      })
      .where(eq(runs.id, run.id));
    ctx.log.warn(
      { leaseId: run.id, backfillId: row.id, failures, failure: body.failure },
      next.type === 'again' ? 'attempt failed, to be repeated' : 'run failed',
    );
    // Nothing moves that would be told: that it is to be tried again, and why, is news.
    if (next.type === 'again') work.afterCommit(() => announce(ctx, row.id));
    const mayFail = row.state === 'running' || row.state === 'verifying';
    return next.type === 'failed' && mayFail
      ? fail(ctx, work, row, inSource(run.sourceId, body.failure))
      : row;
  });
}

async function endAttempt(
  ctx: ControlContext,
  leaseId: string,
  fencingToken: number,
  end: (work: UnitOfWork, row: BackfillRow, run: RunRow) => Promise<BackfillRow>,
): Promise<void> {
  await unitOfWork(ctx.database, async (work) => {
    const { tx } = work;
    const [row] = await tx
      .select()
      .from(backfills)
      .where(sql`${backfills.id} = (select backfill_id from runs where id = ${leaseId})`)
      .for('update');
    const [found] = await tx
      .select({ run: runs, live: sql<boolean>`${runs.leaseExpiresAt} > clock_timestamp()` })
      .from(runs)
      .where(eq(runs.id, leaseId));
    if (row === undefined || found === undefined || found.run.fencingToken !== fencingToken)
      throw stale(leaseId);
    if (found.run.state === 'published') return;
    if (found.run.state !== 'leased' || !found.live) throw stale(leaseId);

    const ended = await end(work, row, found.run);
    if (ended.state === 'pausing' || ended.state === 'cancelling') await acknowledgeReceipts(tx, row.id);
    const after = await settle(tx, await advance(ctx, work, ended));
    work.afterCommit(async () => {
      const { grants, throttles } = governorMemory(ctx);
      grants.close(leaseId);
      throttles.gone(leaseId);
      if (after.state !== row.state) await announce(ctx, row.id);
    });
  });
}

/** Published, and done once the applier has passed its marker; one that had nothing to publish is done. */
async function recordPublished(
  tx: Transaction,
  row: BackfillRow,
  run: RunRow,
  body: CompleteLease,
): Promise<BackfillRow> {
  const marker = body.markers
    .map(({ offset }) => offset)
    .toSorted()
    .at(-1);
  const published = Math.max(run.published, body.published);
  if (marker === undefined && published > 0) {
    throw new ProblemError('invalid_request', 'What was published must end with a marker.', {
      pointer: '/markers',
    });
  }
  const read = Math.max(run.read, body.read);
  const again = Math.max(run.again, body.again ?? 0);
  await tx
    .update(runs)
    .set({
      read,
      published,
      again,
      ahead: 0,
      quarantined: Math.max(run.quarantined, body.quarantined),
      workerId: null,
      leaseExpiresAt: null,
      ...(marker === undefined
        ? { state: 'pending' as const }
        : { state: 'published' as const, markerOffset: marker }),
    })
    .where(eq(runs.id, run.id));
  const subwindows = marker === undefined ? await markDone(tx, row.id, [run.id]) : 0;
  const [after] = await tx
    .update(backfills)
    .set({
      eventsRead: sql`${backfills.eventsRead} + ${read - run.read}`,
      eventsPublished: sql`${backfills.eventsPublished} + ${published - run.published}`,
      eventsAgain: sql`${backfills.eventsAgain} + ${again - run.again}`,
      subwindowsDone: sql`${backfills.subwindowsDone} + ${subwindows}`,
      streamPeak: sql`greatest(${backfills.streamPeak}, ${body.streamPeak ?? 0})`,
    })
    .where(eq(backfills.id, row.id))
    .returning();
  return after ?? row;
}

/** Nothing found on either side agrees with everything: where the source was counted to hold events, or rows were met that are none, it proves nothing. */
async function doubted(
  ctx: ControlContext,
  tx: Transaction,
  run: RunRow,
  body: CompleteLease,
): Promise<CompleteLease> {
  const proof = body.verification;
  if (proof === null || proof.state !== 'matched' || proof.eventsChecked > 0) return body;
  const unavailable = (detail: string) => ({
    ...body,
    verification: { ...proof, state: 'unavailable' as const, detail },
  });
  const [lane] = await tx
    .select({ from: lanes.laneFrom, to: lanes.laneTo })
    .from(lanes)
    .where(and(eq(lanes.backfillId, run.backfillId), eq(lanes.sourceId, run.sourceId)));
  const expected = lane === undefined ? null : ctx.statistics.expectedEvents(run.sourceId, lane);
  if (expected !== null && expected > 0)
    return unavailable(
      `source ${run.sourceId} was counted to hold ${expected} events here, and none was found`,
    );
  const quarantined = await quarantinedIn(tx, run);
  return quarantined === 0
    ? body
    : unavailable(`of source ${run.sourceId} no event was found here, and ${quarantined} rows that are none`);
}

/** By the readers of its lane. */
async function quarantinedIn(tx: Transaction, { backfillId, sourceId }: RunRow): Promise<number> {
  const [found] = await tx
    .select({ rows: sql<number>`coalesce(sum(${runs.quarantined}), 0)::float8` })
    .from(runs)
    .where(and(eq(runs.backfillId, backfillId), eq(runs.sourceId, sourceId), eq(runs.kind, 'replay')));
  return found?.rows ?? 0;
}

/** The verdict on one lane stands with its run until every lane has one. */
async function recordProof(
  tx: Transaction,
  row: BackfillRow,
  run: RunRow,
  body: CompleteLease,
): Promise<BackfillRow> {
  const proof = body.verification;
  if (proof === null)
    throw new ProblemError('invalid_request', 'A proof must end with its verdict.', {
      pointer: '/verification',
    });
  const { bucketsChecked, bucketsMatched, eventsChecked } = proof;
  const detail =
    proof.detail ??
    (proof.state === 'mismatched' ? mismatchDetail(run.sourceId, proof) : 'there was nothing to compare');
  await tx
    .update(runs)
    .set({
      state: 'done',
      workerId: null,
      leaseExpiresAt: null,
      bucketsChecked,
      bucketsMatched,
      eventsChecked,
      failure: proof.state === 'matched' ? null : { code: `proof_${proof.state}`, detail, address: null },
    })
    .where(eq(runs.id, run.id));
  await tx
    .update(lanes)
    .set({ verified: true })
    .where(sql`${lanes.backfillId} = ${row.id} and ${lanes.sourceId} = ${run.sourceId}`);
  const [after] = await tx
    .update(backfills)
    .set({
      bucketsChecked: sql`${backfills.bucketsChecked} + ${bucketsChecked - run.bucketsChecked}`,
      bucketsMatched: sql`${backfills.bucketsMatched} + ${bucketsMatched - run.bucketsMatched}`,
      eventsChecked: sql`${backfills.eventsChecked} + ${eventsChecked - run.eventsChecked}`,
      mismatches: [...row.mismatches, ...proof.mismatches].slice(0, MAX_MISMATCHES),
    })
    .where(eq(backfills.id, row.id))
    .returning();
  return after ?? row;
}

function mismatchDetail(sourceId: string, proof: NonNullable<CompleteLease['verification']>): string {
  const [first] = proof.mismatches;
  const where = first === undefined ? '' : `, the first is ${first.key} at ${first.start}`;
  return `${proof.bucketsChecked - proof.bucketsMatched} of ${proof.bucketsChecked} buckets of source ${sourceId} differ${where}`;
}

function stale(leaseId: string): ProblemError {
  return new ProblemError('stale_fencing_token', `Lease ${leaseId} is over, or has been granted anew.`);
}
