/**
 * What a budget does: a warning at 80 %, a hold before 100 %, never a cancellation. Only what runs is held: a proof under way publishes nothing,
 * and a run without its proof would have been paid for nothing.
 */
import { sql } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import { announce } from '../backfill/announce.ts';
import { leasesOf, pushStop } from '../backfill/command.ts';
import { settle } from '../backfill/settle.ts';
import { type BackfillRow, lockBackfill, transition } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type UnitOfWork, unitOfWork } from '../database/database.ts';
import { backfills, holds } from '../database/schema.ts';
import type { Governed } from '../governor/governed.ts';
import { spillway } from '../spillway.ts';
import type { BudgetLook } from './look-at-budgets.ts';

/** Code of the warning. */
export const BUDGET_NEAR = 'budget_near';

export async function holdBudgets(
  ctx: ControlContext,
  governed: readonly Governed[],
  looks: ReadonlyMap<string, BudgetLook>,
): Promise<void> {
  for (const backfill of governed) {
    const look = looks.get(backfill.id);
    if (look === undefined || look.verdict.state === 'within') continue;
    const holdsIt =
      look.verdict.state === 'spent' && backfill.state === 'running' && !backfill.holds.includes('budget');
    if (!holdsIt && backfill.budgetNear) continue;
    await unitOfWork(ctx.database, (work) => act(ctx, work, backfill, look, holdsIt));
  }
}

async function act(
  ctx: ControlContext,
  work: UnitOfWork,
  { id, budgetAmount }: Governed,
  look: BudgetLook,
  holdsIt: boolean,
): Promise<void> {
  const { tx } = work;
  const row = await lockBackfill(tx, id);
  // Somebody may have raised it, or ended the run, since it was looked at.
  if (row === null || row.endedAt !== null || row.budgetAmount !== budgetAmount) return;
  if (holdsIt || !row.warnings.some(({ code }) => code === BUDGET_NEAR)) await warn(work, row, look);
  if (holdsIt && row.state === 'running') await hold(ctx, work, row, look);
  work.afterCommit(() => announce(ctx, id));
}

/** In place of what was said of it before. */
async function warn({ tx }: UnitOfWork, row: BackfillRow, { verdict, detail }: BudgetLook): Promise<void> {
  const isSpent = verdict.state === 'spent';
  const warning = {
    code: BUDGET_NEAR,
    detail: `The budget is ${isSpent ? '' : 'nearly '}spent: ${detail}.`,
  };
  const others = row.warnings.filter(({ code }) => code !== BUDGET_NEAR);
  await tx
    .update(backfills)
    .set({ warnings: [...others, warning] })
    .where(sql`${backfills.id} = ${row.id}`);
}

async function hold(
  ctx: ControlContext,
  work: UnitOfWork,
  row: BackfillRow,
  { detail }: BudgetLook,
): Promise<void> {
  const { tx } = work;
  await tx
    .insert(holds)
    .values({ backfillId: row.id, reason: 'budget', detail, by: spillway.name })
    .onConflictDoNothing();
  const leases = await leasesOf(tx, row.id);
  const after = await settle(tx, await transition(tx, row, 'pausing', { revision: row.revision + 1 }));
  await appendAudit(work, ctx.clock, {
    actor: spillway,
    action: 'backfill.hold_budget',
    target: row.id,
    reason: detail,
    before: { state: row.state },
    after: { state: after.state },
  });
  work.afterCommit(() => pushStop(ctx, leases, 'pause'));
}
