/**
 * Entries of an external stream were removed before a group had them (the user's own trimming, most likely): what was published and is not done
 * has to be published again, and not without a word. Running backfills fail with `gap`; those that are held fail when they go on. A retry reads
 * each run from its beginning, and consumers tell what they had already by its id.
 */
import { sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type UnitOfWork, unitOfWork } from '../database/database.ts';
import { advance } from './advance.ts';

export async function failLost(ctx: ControlContext, pipelineId: string, lostEntries: number): Promise<void> {
  const { rows } = await ctx.database.execute<{ id: string }>(sql`
    select distinct b.id from backfills b join runs r on r.backfill_id = b.id
    where b.pipeline_id = ${pipelineId} and b.state in ('running', 'pausing', 'paused') and ${atRisk}`);
  if (rows.length === 0) return;
  const detail = `${lostEntries} entries were removed from the stream before a watched group had them: what was published and is not finished has to be published again (retry), and the stream has to be trimmed no further than its groups have finished`;
  await unitOfWork(ctx.database, async (work) => {
    const locked = await lockBackfills(
      work.tx,
      rows.map(({ id }) => id),
    );
    for (const row of locked) {
      await failRuns(work, row.id, detail);
      const after = await advance(ctx, work, row);
      if (after.state !== row.state) work.afterCommit(() => announce(ctx, row.id));
    }
  });
}

/** Published in part or in whole, and not done. */
const atRisk = sql.raw(
  "r.kind = 'replay' and (r.state = 'published' or (r.state in ('leased', 'pending') and r.published > 0))",
);

async function failRuns({ tx }: UnitOfWork, backfillId: string, detail: string): Promise<void> {
  const failure = JSON.stringify({ code: 'gap', detail, address: null });
  await tx.execute(sql`
    update runs r set state = 'failed', cursor = null, marker_offset = null, worker_id = null, lease_expires_at = null,
      failure = ${failure}::jsonb
    where r.backfill_id = ${backfillId} and ${atRisk}`);
}
