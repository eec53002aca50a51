import type { Receipt } from '@spillway/shared/api/backfill';
import { and, eq } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { backfills, holds } from '../database/schema.ts';
import { afterCommand, lockFor } from './command.ts';
import { openReceipt } from './receipts.ts';
import { type BackfillRow, transition } from './transition.ts';

/** Lifts the operator's hold, and is refused where there is none. It runs again unless another hold remains. */
export async function resumeBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { reason = null }: { reason?: string | null } = {},
): Promise<Receipt> {
  const { tx } = work;
  const before = await lockFor('resume', tx, actor, id);
  const after = await liftHold(tx, before, 'operator');
  const receipt = await openReceipt(tx, {
    verb: 'resume',
    backfillId: id,
    pipelineId: before.pipelineId,
    done: true,
  });
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'backfill.resume',
    target: id,
    reason,
    before: { state: before.state },
    after: { state: after.state },
  });
  afterCommand(ctx, work, id);
  return receipt;
}

/** Lifts one hold; the last one lets a pausing or paused backfill run. Its revision rises either way. */
export async function liftHold(
  tx: Transaction,
  row: BackfillRow,
  reason: 'operator' | 'brake' | 'budget',
): Promise<BackfillRow> {
  await tx.delete(holds).where(and(eq(holds.backfillId, row.id), eq(holds.reason, reason)));
  const left = await tx.select({ reason: holds.reason }).from(holds).where(eq(holds.backfillId, row.id));
  const revision = row.revision + 1;
  if (left.length === 0 && (row.state === 'pausing' || row.state === 'paused'))
    return transition(tx, row, 'running', { revision });
  await tx.update(backfills).set({ revision }).where(eq(backfills.id, row.id));
  return { ...row, revision };
}
