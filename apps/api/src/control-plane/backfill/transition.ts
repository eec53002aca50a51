/** The only place that writes a backfill's state. One UPDATE per edge of the table. */
import { type BackfillState, canTransition, finalStates } from '@spillway/shared/backfill/state-machine';
import { and, eq, sql } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { backfills } from '../database/schema.ts';
import { externalOf } from '../pipelines/rows.ts';
import { tellWebhooks } from '../webhooks/enqueue.ts';
import { newsOfBackfill } from '../webhooks/news.ts';

export type BackfillRow = typeof backfills.$inferSelect;
type Columns = Omit<Partial<typeof backfills.$inferInsert>, 'id' | 'state'>;

/** The row as it is then; an end is told in the same transaction. The caller has locked it (see {@link lockBackfill}). */
export async function transition(
  tx: Transaction,
  row: BackfillRow,
  to: BackfillState,
  columns: Columns = {},
): Promise<BackfillRow> {
  if (!canTransition(row.state, to))
    throw new Error(`no edge from ${row.state} to ${to} (backfill ${row.id})`);
  const ended = to === 'failed' || finalStates.includes(to);
  const [moved] = await tx
    .update(backfills)
    .set({
      ...columns,
      state: to,
      endedAt: ended ? sql`now()` : null,
      ...(to === 'running' && row.startedAt === null ? { startedAt: sql`now()` } : {}),
    })
    .where(and(eq(backfills.id, row.id), eq(backfills.state, row.state)))
    .returning();
  if (moved === undefined) throw new Error(`backfill ${row.id} was not locked: it is no longer ${row.state}`);
  const news = ended ? newsOfBackfill(moved, (await externalOf(tx, moved.pipelineId)) !== null) : null;
  if (news !== null) await tellWebhooks(tx, [news]);
  return moved;
}

/**
 * Whoever changes a backfill, its lanes or its runs locks this row first, in order of id where there are several: that is the
 * whole locking discipline, and why there are no deadlocks.
 */
export async function lockBackfills(tx: Transaction, ids: readonly string[]): Promise<BackfillRow[]> {
  if (ids.length === 0) return [];
  return tx
    .select()
    .from(backfills)
    .where(sql`${backfills.id} = any(${sql.param([...ids])}::text[])`)
    .orderBy(backfills.id)
    .for('update');
}

export async function lockBackfill(tx: Transaction, id: string): Promise<BackfillRow | null> {
  const [row] = await lockBackfills(tx, [id]);
  return row ?? null;
}
