/**
 * Runs whose marker has been passed. A run is done when the committed position has passed the marker of its current token: its events are
 * applied (of an external pipeline: finished by every watched group), not merely published. Offsets are strings whose byte order is the order of
 * the stream.
 */
import { sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction, UnitOfWork } from '../database/database.ts';
import { backfills } from '../database/schema.ts';
import { advance } from './advance.ts';
import { markDone } from './done-runs.ts';

export async function writePositions(
  ctx: ControlContext,
  positions: readonly { stream: string; position: string }[],
): Promise<void> {
  await ctx.database.execute(sql`
    insert into positions (stream, position, reported_at)
    select stream, position, now() from jsonb_to_recordset(${JSON.stringify(positions)}::jsonb) as x(stream text, position text)
    on conflict (stream) do update set position = excluded.position, reported_at = excluded.reported_at
      where positions.position collate "C" < excluded.position collate "C"`);
}

interface PassedRun {
  readonly id: string;
  readonly backfill_id: string;
  readonly pipeline_id: string;
}

export async function passedRuns(executor: Database | Transaction): Promise<PassedRun[]> {
  const { rows } = await executor.execute<PassedRun & Record<string, unknown>>(sql`
    select r.id, r.backfill_id, b.pipeline_id from runs r
      join backfills b on b.id = r.backfill_id join pipelines p on p.id = b.pipeline_id
      join positions s on s.stream = case p.route when 'shared' then p.live_stream else p.replay_stream end
    where r.state = 'published' and r.marker_offset collate "C" <= s.position collate "C"`);
  return rows;
}

/** Of the backfills that the caller has locked: only what is still published then is done now. */
export async function finishRuns(
  ctx: ControlContext,
  work: UnitOfWork,
  locked: readonly BackfillRow[],
): Promise<void> {
  const { tx } = work;
  const passed = await passedRuns(tx);
  for (const { id } of locked) {
    const own = passed.filter((run) => run.backfill_id === id).map((run) => run.id);
    if (own.length === 0) continue;
    const subwindows = await markDone(tx, id, own);
    const [row] = await tx
      .update(backfills)
      .set({ subwindowsDone: sql`${backfills.subwindowsDone} + ${subwindows}` })
      .where(sql`${backfills.id} = ${id}`)
      .returning();
    if (row === undefined) continue;
    const after = await advance(ctx, work, row);
    if (after.state !== row.state) work.afterCommit(() => announce(ctx, id));
  }
}
