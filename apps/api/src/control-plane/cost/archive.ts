/** What has ended leaves the meter for a row of its own, once nothing more of it can come: so the meter stays small, however many there were. */
import { takeAccounts } from '@spillway/shared/cost/meter';
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills, finishedRuns, metered } from '../database/schema.ts';
import { meterBook } from './meter-book.ts';
import { recordOfUsage } from './metered-cost.ts';

/** Longer than a slot and its grace, and than workers tell again what has arrived. */
const ENDED_FOR = sql.raw("interval '3 minutes'");

/** Moves, and writes the meter without them, in one transaction. */
export async function archiveMeters(ctx: ControlContext): Promise<void> {
  const book = meterBook(ctx);
  for (const pipelineId of book.pipelineIds()) {
    const { state } = await book.load(pipelineId);
    const accounts = Object.keys(state.settled);
    if (accounts.length === 0) continue;
    const ended = await ctx.database
      .select({ id: backfills.id })
      .from(backfills)
      .where(
        and(
          inArray(backfills.id, accounts),
          inArray(backfills.state, ['completed', 'cancelled']),
          sql`${backfills.endedAt} < now() - ${ENDED_FOR}`,
        ),
      );
    if (ended.length > 0) await archive(ctx, pipelineId, new Set(ended.map(({ id }) => id)));
  }
}

async function archive(ctx: ControlContext, pipelineId: string, ended: ReadonlySet<string>): Promise<void> {
  const book = meterBook(ctx);
  const moving = book.exclusively(pipelineId, () =>
    ctx.database.transaction(async (tx) => {
      const meter = await book.load(pipelineId, tx);
      const rows = Object.entries(takeAccounts(meter.state, ended).taken).map(([backfillId, usage]) => ({
        backfillId,
        usage: recordOfUsage(usage),
      }));
      if (rows.length === 0) return;
      await tx.insert(metered).values(rows);
      for (const { backfillId, usage } of rows)
        await tx.update(finishedRuns).set({ usage }).where(eq(finishedRuns.backfillId, backfillId));
      // Ticks may have come meanwhile; of what leaves there was nothing to come.
      const leaves = new Set(rows.map(({ backfillId }) => backfillId));
      meter.state = takeAccounts(meter.state, leaves).state;
      const counted = Object.entries(meter.durable.rows).filter(([id]) => !leaves.has(id));
      meter.durable = { ...meter.durable, rows: Object.fromEntries(counted) };
      if (!(await book.write(tx, pipelineId))) throw new Error('the meter was written by another process');
    }),
  );
  await moving.catch((error: unknown) => {
    // What is stored is what it was, and workers tell again what came since.
    book.forget(pipelineId);
    throw error;
  });
}
