import type { Receipt } from '@spillway/shared/api/backfill';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { holds } from '../database/schema.ts';
import { afterCommand, leasesOf, lockFor } from './command.ts';
import { openReceipt } from './receipts.ts';
import { settle } from './settle.ts';
import { transition } from './transition.ts';

/** Places the operator's hold. Paused at once when no worker holds a lease of it; otherwise when the last has stopped. */
export async function pauseBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { reason = null }: { reason?: string | null } = {},
): Promise<Receipt> {
  const { tx } = work;
  const before = await lockFor('pause', tx, actor, id);
  await tx
    .insert(holds)
    .values({ backfillId: id, reason: 'operator', detail: reason, by: actor.name })
    .onConflictDoNothing();
  const leases = await leasesOf(tx, id);
  const receipt = await openReceipt(tx, {
    verb: 'pause',
    backfillId: id,
    pipelineId: before.pipelineId,
    done: leases.length === 0,
  });
  const pausing = await transition(tx, before, 'pausing', { revision: before.revision + 1 });
  const after = await settle(tx, pausing);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'backfill.pause',
    target: id,
    reason,
    before: { state: before.state },
    after: { state: after.state },
  });
  afterCommand(ctx, work, id, { leases, why: 'pause' });
  return receipt;
}
