import type { Receipt } from '@spillway/shared/api/backfill';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { afterCommand, leasesOf, lockFor } from './command.ts';
import { openReceipt } from './receipts.ts';
import { endCancelled, settle } from './settle.ts';
import { transition } from './transition.ts';

/** For good. What has been applied stays applied. */
export async function cancelBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { reason = null }: { reason?: string | null } = {},
): Promise<Receipt> {
  const { tx } = work;
  const before = await lockFor('cancel', tx, actor, id);
  const leases = await leasesOf(tx, id);
  const receipt = await openReceipt(tx, {
    verb: 'cancel',
    backfillId: id,
    pipelineId: before.pipelineId,
    done: leases.length === 0,
  });
  const after =
    before.state === 'queued'
      ? await endCancelled(tx, before)
      : await settle(tx, await transition(tx, before, 'cancelling', { revision: before.revision + 1 }));
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'backfill.cancel',
    target: id,
    reason,
    before: { state: before.state },
    after: { state: after.state },
  });
  afterCommand(ctx, work, id, { leases, why: 'cancel' });
  return receipt;
}
