import type { Backfill, PatchLimits, Receipt } from '@spillway/shared/api/backfill';
import { atomsOf } from '@spillway/shared/cost/money';
import { and, eq } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import { refuseBudget } from '../cost/budget-limit.ts';
import { BUDGET_NEAR } from '../cost/hold-budgets.ts';
import { bookOf, meterBook } from '../cost/meter-book.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { backfills, holds } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { afterCommand, leasesOf, lockFor } from './command.ts';
import { readBackfill } from './queries.ts';
import { openReceipt } from './receipts.ts';
import { limitsOf } from './resource.ts';
import { liftHold } from './resume.ts';
import type { BackfillRow } from './transition.ts';

/**
 * New limits. Effective when every worker that holds a lease of it has reported the grant that followed.
 * Errors: `stale_revision` with the current resource, `illegal_transition`.
 */
export async function throttleBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  patch: PatchLimits,
  ifMatchRevision: number,
): Promise<{ backfill: Backfill; receipt: Receipt }> {
  const { tx } = work;
  const before = await lockFor('throttle', tx, actor, id);
  if (before.revision !== ifMatchRevision) {
    throw new ProblemError('stale_revision', `The limits have changed since revision ${ifMatchRevision}.`, {
      pointer: 'if-match',
      current: await readBackfill(ctx, actor, id, tx),
    });
  }
  const meter = await meterBook(ctx).load(before.pipelineId, tx);
  refuseBudget(patch.budget ?? null, bookOf(meter, before.priceBookVersion), '/budget');
  const [changed] = await tx
    .update(backfills)
    .set({ ...columnsOf(patch), warnings: warningsAfter(before, patch), revision: before.revision + 1 })
    .where(eq(backfills.id, id))
    .returning();
  if (isRaised(before, patch) && (await isHeldByBudget(tx, id)))
    await liftHold(tx, { ...(changed as BackfillRow), revision: before.revision }, 'budget');
  const leases = await leasesOf(tx, id);
  const receipt = await openReceipt(tx, {
    verb: 'throttle',
    backfillId: id,
    pipelineId: before.pipelineId,
    done: leases.length === 0,
  });
  const backfill = await readBackfill(ctx, actor, id, tx);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'backfill.throttle',
    target: id,
    before: limitsOf(before),
    after: backfill.limits,
  });
  work.afterCommit(() => {
    if (leases.length > 0) governorMemory(ctx).throttles.open(receipt.id, id);
  });
  afterCommand(ctx, work, id);
  return { backfill, receipt };
}

/** Whether a new budget is near its end, too, is the governor's to say. */
function warningsAfter({ warnings }: BackfillRow, { budget }: PatchLimits): BackfillRow['warnings'] {
  return budget === undefined ? warnings : warnings.filter(({ code }) => code !== BUDGET_NEAR);
}

/** What was held by the old budget goes on; if the new one is spent as well, the governor holds it again before it publishes. */
function isRaised(before: BackfillRow, { budget }: PatchLimits): boolean {
  if (budget === undefined) return false;
  return (
    budget === null ||
    before.budgetAmount === null ||
    atomsOf(budget) > atomsOf({ amount: before.budgetAmount })
  );
}

async function isHeldByBudget(tx: Transaction, id: string): Promise<boolean> {
  const held = await tx
    .select({ reason: holds.reason })
    .from(holds)
    .where(and(eq(holds.backfillId, id), eq(holds.reason, 'budget')));
  return held.length > 0;
}

/** Null lifts a limit; what is not named stays. */
function columnsOf(patch: PatchLimits): Partial<typeof backfills.$inferInsert> {
  return {
    ...(patch.eventsPerSecond === undefined ? {} : { eventsPerSecondLimit: patch.eventsPerSecond }),
    ...(patch.share === undefined ? {} : { shareLimit: patch.share }),
    ...(patch.concurrency === undefined ? {} : { concurrency: patch.concurrency }),
    ...(patch.budget === undefined
      ? {}
      : { budgetAmount: patch.budget?.amount ?? null, budgetCurrency: patch.budget?.currency ?? null }),
  };
}
