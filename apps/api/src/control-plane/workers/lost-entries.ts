/**
 * Entries of an external stream are gone before a group had them (the user's own trimming, most likely, or the whole stream), or a stream of ours has lost its
 * end (beyond-end.ts): what was published and is not done has to be published again, and not without a word. Running backfills fail with `gap`; those
 * that are held or queued fail when they go on, and those that have failed already begin such runs anew. A retry reads each run from its beginning, and
 * what was there already is told by its id.
 */
import { sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { leasesOf, pushStop } from '../backfill/command.ts';
import { lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type UnitOfWork, unitOfWork } from '../database/database.ts';
import { advance } from './advance.ts';

/** `stream`: it was removed, made anew or set back. `end`: of a stream of ours; `stands`: the applier's position is beyond it as well. */
export type Loss =
  | { readonly of: 'entries'; readonly count: number }
  | { readonly of: 'stream' }
  | { readonly of: 'end'; readonly marker: string; readonly stands: boolean };

export async function failLost(
  ctx: ControlContext,
  { pipelineId, stream, loss }: { readonly pipelineId: string; readonly stream: string; readonly loss: Loss },
): Promise<void> {
  // Places of the stream that was there before say nothing about the one that is there now.
  if (loss.of === 'stream') await ctx.database.execute(sql`delete from positions where stream = ${stream}`);
  const { rows } = await ctx.database.execute<{ id: string }>(sql`
    select distinct b.id from backfills b join runs r on r.backfill_id = b.id
    where b.pipeline_id = ${pipelineId} and ${unfinished} and ${atRisk}`);
  if (rows.length === 0) return;
  await unitOfWork(ctx.database, async (work) => {
    const locked = await lockBackfills(
      work.tx,
      rows.map(({ id }) => id),
    );
    const leases = await leasesOf(work.tx, ...locked.map(({ id }) => id));
    work.afterCommit(() => pushStop(ctx, leases, 'revoked'));
    for (const row of locked) {
      await failRuns(work, row.id, detailOf(loss));
      const after = await advance(ctx, work, row);
      if (after.state !== row.state) work.afterCommit(() => announce(ctx, row.id));
    }
  });
}

function detailOf(loss: Loss): string {
  if (loss.of === 'end') {
    const what = `the stream ends before ${loss.marker}, where what was published ends: its server has lost the last that it was given`;
    return loss.stands
      ? `${what}, and of what is applied as well; nothing more is applied before the stream's position is set (operations.md, "A stream that has lost its end"), then retry`
      : `${what}; what was published and is not finished has to be published again (retry)`;
  }
  return loss.of === 'entries'
    ? `${loss.count} entries were removed from the stream before a watched group had them: what was published and is not finished has to be published again (retry), and the stream has to be trimmed no further than its groups have finished`
    : 'the stream was removed, made anew or set back: what was published and was not finished is not on it any more, and has to be published again (retry)';
}

/** Backfills that may go on. */
export const unfinished = sql.raw("b.state in ('queued', 'running', 'pausing', 'paused', 'failed')");

/** Published in part or in whole, and not done. What begins at the beginning anyway loses nothing. */
export const atRisk = sql.raw(
  "r.kind = 'replay' and (r.state in ('published', 'leased') or (r.state in ('pending', 'failed') and r.cursor is not null))",
);

/** From its beginning each counts from nothing; what of it was handled is done again (retry.ts). */
async function failRuns({ tx }: UnitOfWork, backfillId: string, detail: string): Promise<void> {
  const failure = JSON.stringify({ code: 'gap', detail, address: null });
  await tx.execute(sql`
    update runs r set state = 'failed', cursor = null, read = 0, published = 0, again = 0, ahead = 0, quarantined = 0, marker_offset = null, worker_id = null, lease_expires_at = null,
      failure = ${failure}::jsonb
    where r.backfill_id = ${backfillId} and ${atRisk}`);
}
