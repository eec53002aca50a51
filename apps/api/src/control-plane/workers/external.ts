/**
 * What the replay workers see of external pipelines: how far the users' groups are, and with it the runs that are done. Several workers may say
 * the same, or older news: a position never moves back.
 */
import type { ExternalReport } from '@spillway/shared/api/external';
import { and, inArray, isNotNull } from 'drizzle-orm';
import { lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { unitOfWork } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { isPresent } from '../pipelines/rows.ts';
import { failLost, type Loss } from './lost-entries.ts';
import { finishRuns, passedRuns, writePositions } from './passed-runs.ts';

export async function recordExternal(
  ctx: ControlContext,
  workerId: string,
  reports: readonly ExternalReport[],
): Promise<void> {
  if (reports.length === 0) return;
  // A worker may still report what is no more, or never was external.
  const known = await ctx.database
    .select({ id: pipelines.id, stream: pipelines.replayStream })
    .from(pipelines)
    .where(
      and(
        isPresent,
        isNotNull(pipelines.external),
        inArray(
          pipelines.replayStream,
          reports.map(({ stream }) => stream),
        ),
      ),
    );
  for (const { id, stream } of known) {
    const report = reports.find((candidate) => candidate.stream === stream);
    if (report === undefined) continue;
    // What is lost will never be finished, though the group seems to pass it.
    const isGone = governorMemory(ctx).sightings.isGone(report, workerId, ctx.clock.monotonic());
    const loss = lossOf(report, isGone);
    if (loss !== null) await failLost(ctx, { pipelineId: id, stream, loss });
    else if (report.position !== null) await writePositions(ctx, [{ stream, position: report.position }]);
  }
  await finishPassed(
    ctx,
    known.map(({ id }) => id),
  );
}

function lossOf({ lostEntries, replaced = false }: ExternalReport, isGone: boolean): Loss | null {
  if (replaced || isGone) return { of: 'stream' };
  return lostEntries > 0 ? { of: 'entries', count: lostEntries } : null;
}

async function finishPassed(ctx: ControlContext, pipelineIds: readonly string[]): Promise<void> {
  const passed = (await passedRuns(ctx.database)).filter(({ pipeline_id: id }) => pipelineIds.includes(id));
  if (passed.length === 0) return;
  await unitOfWork(ctx.database, async (work) => {
    const locked = await lockBackfills(work.tx, [...new Set(passed.map((run) => run.backfill_id))]);
    await finishRuns(ctx, work, locked);
  });
}
