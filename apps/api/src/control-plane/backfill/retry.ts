import type { Receipt } from '@spillway/shared/api/backfill';
import { and, eq, sql } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { lanes, runs } from '../database/schema.ts';
import { afterCommand, lockFor } from './command.ts';
import { handledAgain } from './handled-again.ts';
import { openReceipt } from './receipts.ts';
import { type BackfillRow, transition } from './transition.ts';

/** What is done stays done, but where the proof has found a difference; what failed is queued again, and proof begins anew. */
export async function retryBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { reason = null }: { reason?: string | null } = {},
): Promise<Receipt> {
  const { tx } = work;
  const before = await lockFor('retry', tx, actor, id);
  await reopenRuns(tx, id);
  const readAgain = await differingSources(tx, id);
  if (readAgain.length > 0) await beginAnew(tx, id, readAgain);
  const after = await requeue(tx, before);
  const receipt = await openReceipt(tx, {
    verb: 'retry',
    backfillId: id,
    pipelineId: before.pipelineId,
    done: true,
  });
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'backfill.retry',
    target: id,
    reason,
    before: { state: before.state, failure: before.failure },
    after: { state: after.state, readAgain },
  });
  afterCommand(ctx, work, id);
  return receipt;
}

export async function reopenRuns(tx: Transaction, id: string): Promise<void> {
  await tx
    .update(runs)
    .set({ state: 'pending', failures: 0, retryAt: null, failure: null })
    .where(and(eq(runs.backfillId, id), eq(runs.state, 'failed')));
}

async function differingSources(tx: Transaction, id: string): Promise<string[]> {
  const found = await tx
    .select({ sourceId: runs.sourceId })
    .from(runs)
    .where(
      and(
        eq(runs.backfillId, id),
        eq(runs.kind, 'verify'),
        sql`${runs.failure} ->> 'code' = 'proof_mismatched'`,
      ),
    )
    .orderBy(runs.sourceId);
  return found.map(({ sourceId }) => sourceId);
}

/**
 * Their lanes are read again as if nothing of them had been handed out: what the store has is told by its id, and what was lost on the way there comes
 * to it. What their attempts published stays counted.
 */
async function beginAnew(tx: Transaction, id: string, sourceIds: readonly string[]): Promise<void> {
  const these = sql`backfill_id = ${id} and source_id = any(${sql.param([...sourceIds])}::text[])`;
  await tx.execute(sql`
    with gone as (
      delete from runs where kind = 'replay' and ${these} returning state, to_index - from_index as subwindows
    ), begun as (
      update lanes set next_index = 0 where ${these}
    )
    update backfills set subwindows_done = subwindows_done - (select sum(subwindows) from gone where state = 'done')
    where id = ${id} and exists (select from gone where state = 'done')`);
}

/** `failed` to `queued`: its sources count as connected again until they fail again. */
export async function requeue(tx: Transaction, row: BackfillRow): Promise<BackfillRow> {
  await tx.delete(runs).where(and(eq(runs.backfillId, row.id), eq(runs.kind, 'verify')));
  const eventsAgain = await handledAgain(tx, row);
  await tx.update(lanes).set({ verified: false, slotHeld: false }).where(eq(lanes.backfillId, row.id));
  // Whoever asks for it has mended something: what failed beside it begins its count anew as well.
  await tx
    .update(runs)
    .set({ failures: 0, retryAt: null, failure: null })
    .where(and(eq(runs.backfillId, row.id), eq(runs.state, 'pending')));
  await tx.execute(sql`
    update sources set state = 'connected', failure = null
    where state = 'failed' and id in (select source_id from lanes where backfill_id = ${row.id})`);
  return transition(tx, row, 'queued', {
    revision: row.revision + 1,
    failure: null,
    eventsAgain,
    verificationState: 'pending',
    verificationDetail: null,
    bucketsChecked: 0,
    bucketsMatched: 0,
    eventsChecked: 0,
    mismatches: [],
  });
}
