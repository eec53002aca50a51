/** Moves a backfill on when its work allows it: to `verifying` when every subwindow is applied, from there to its end when every lane is proved. */
import { randomUUID } from 'node:crypto';
import { NOT_VERIFIABLE } from '@spillway/shared/api/external';
import { and, eq, sql } from 'drizzle-orm';
import { leasesOf, pushStop } from '../backfill/command.ts';
import { handledAgain } from '../backfill/handled-again.ts';
import { release } from '../backfill/settle.ts';
import { type BackfillRow, transition } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { recordFinishedRun } from '../cost/finished-runs.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { lanes, runs } from '../database/schema.ts';
import { externalOf } from '../pipelines/rows.ts';

type Failure = NonNullable<BackfillRow['failure']>;

/** The row as it is then. The caller has locked it. */
export async function advance(ctx: ControlContext, work: UnitOfWork, row: BackfillRow): Promise<BackfillRow> {
  if (row.state === 'running') {
    const failure = await failedRun(work.tx, row.id);
    if (failure !== null) return fail(ctx, work, row, failure);
    if (row.subwindowsDone === row.subwindowsTotal) return afterLast(ctx, work, row);
  }
  if (row.state === 'verifying') return endProof(ctx, work, row);
  return row;
}

/** As the backfill tells it: of several sources it has to say which. */
export function inSource(sourceId: string, failure: Failure): Failure {
  return { ...failure, detail: `${sourceId}: ${failure.detail}` };
}

async function failedRun(tx: Transaction, backfillId: string): Promise<Failure | null> {
  const [failed] = await tx
    .select({ sourceId: runs.sourceId, failure: runs.failure })
    .from(runs)
    .where(and(eq(runs.backfillId, backfillId), eq(runs.state, 'failed')))
    .limit(1);
  if (failed === undefined) return null;
  const unsaid = { code: 'attempt_failed', detail: 'a run of subwindows failed', address: null };
  return inSource(failed.sourceId, failed.failure ?? unsaid);
}

/**
 * All that was published has been handled, so it is known what of it came twice, also after the last report of an attempt that was killed.
 * Where the store is not ours there is nothing to compare with: that is said, and nothing is claimed.
 */
async function afterLast(ctx: ControlContext, work: UnitOfWork, row: BackfillRow): Promise<BackfillRow> {
  const eventsAgain = await handledAgain(work.tx, row);
  if ((await externalOf(work.tx, row.pipelineId)) === null)
    return beginProof(ctx, work, row, { eventsAgain });
  await release(work.tx, row.id);
  await recordFinishedRun(ctx, work.tx, row);
  const unproved = {
    eventsAgain,
    verificationState: 'unavailable',
    verificationDetail: NOT_VERIFIABLE,
  } as const;
  return transition(work.tx, await transition(work.tx, row, 'verifying', unproved), 'completed', unproved);
}

/** A run that the workers take for each lane, the whole of it; they look at it slice by slice. */
async function beginProof(
  ctx: ControlContext,
  work: UnitOfWork,
  row: BackfillRow,
  counted: Pick<BackfillRow, 'eventsAgain'>,
): Promise<BackfillRow> {
  const { tx } = work;
  const proved = await tx.select().from(lanes).where(eq(lanes.backfillId, row.id));
  await tx.insert(runs).values(
    proved.map((lane) => ({
      id: `ls_${randomUUID().replaceAll('-', '').slice(0, 20)}`,
      kind: 'verify' as const,
      backfillId: row.id,
      sourceId: lane.sourceId,
      fromIndex: 0,
      toIndex: lane.subwindows,
      state: 'pending' as const,
    })),
  );
  work.afterCommit(() => ctx.workers.broadcast('replay', { type: 'wake' }));
  return transition(tx, row, 'verifying', { ...counted, verificationState: 'running' });
}

/** Every lane proved: a difference anywhere fails the backfill; where nothing could be compared, it completes as `unavailable`. */
async function endProof(ctx: ControlContext, work: UnitOfWork, row: BackfillRow): Promise<BackfillRow> {
  const proofs = await work.tx
    .select({ sourceId: runs.sourceId, state: runs.state, failure: runs.failure })
    .from(runs)
    .where(and(eq(runs.backfillId, row.id), eq(runs.kind, 'verify')));
  const broken = proofs.find((proof) => proof.state === 'failed' && proof.failure !== null);
  if (broken?.failure) return fail(ctx, work, row, inSource(broken.sourceId, broken.failure));
  if (proofs.some((proof) => proof.state !== 'done')) return row;
  const verdict = (code: string) => proofs.find((proof) => proof.failure?.code === code)?.failure;
  const mismatched = verdict('proof_mismatched');
  if (mismatched)
    return fail(ctx, work, row, mismatched, {
      verificationState: 'mismatched',
      verificationDetail: mismatched.detail,
    });
  const unavailable = verdict('proof_unavailable');
  await release(work.tx, row.id);
  await recordFinishedRun(ctx, work.tx, row);
  return transition(work.tx, row, 'completed', {
    verificationState: unavailable ? 'unavailable' : 'matched',
    verificationDetail: unavailable?.detail ?? null,
  });
}

/** Nothing of a failed backfill goes on: its other leases end now, and their workers are told. From `running` or `verifying`. */
export async function fail(
  ctx: ControlContext,
  work: UnitOfWork,
  row: BackfillRow,
  failure: Failure,
  columns: Partial<Pick<BackfillRow, 'verificationState' | 'verificationDetail'>> = {},
): Promise<BackfillRow> {
  const { tx } = work;
  const leases = await leasesOf(tx, row.id);
  await tx
    .update(runs)
    .set({ state: 'pending', workerId: null, leaseExpiresAt: null })
    .where(and(eq(runs.backfillId, row.id), eq(runs.state, 'leased')));
  await release(tx, row.id);
  if (failure.code.startsWith('source_')) await failSources(tx, row.id);
  work.afterCommit(() => pushStop(ctx, leases, 'revoked'));
  const unproved =
    row.state === 'verifying'
      ? ({ verificationState: 'unavailable', verificationDetail: failure.detail } as const)
      : {};
  return transition(tx, row, 'failed', { failure, revision: row.revision + 1, ...unproved, ...columns });
}

/** Those that failed runs read from, each by its own failure. */
async function failSources(tx: Transaction, backfillId: string): Promise<void> {
  await tx.execute(sql`
    update sources set state = 'failed', failure = runs.failure from runs
    where runs.source_id = sources.id and runs.backfill_id = ${backfillId} and runs.state = 'failed' and starts_with(runs.failure ->> 'code', 'source_')`);
}
