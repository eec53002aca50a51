import type { PatchPipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { eq } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { describe } from './queries.ts';
import { type PipelineRow, unknownPipeline } from './rows.ts';
import { workerPipelines } from './worker-view.ts';

/** Errors: `unknown_pipeline`, `stale_revision` with the pipeline as it is now, `invalid_request`. */
export async function configurePipeline(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  patch: PatchPipeline,
  ifMatchRevision: number,
): Promise<Pipeline> {
  // Locked: of two that read the same revision, one is stale.
  const [before] = await work.tx.select().from(pipelines).where(eq(pipelines.id, id)).for('update');
  if (before === undefined) throw unknownPipeline(id);
  if (before.revision !== ifMatchRevision) {
    throw new ProblemError(
      'stale_revision',
      `Pipeline ${id} is at revision ${before.revision}, not ${ifMatchRevision}.`,
      {
        pointer: 'if-match',
        current: await describe(ctx, work.tx, before, actor),
      },
    );
  }
  const change = changeOf(ctx, before, patch);
  const [after] = await work.tx
    .update(pipelines)
    .set({ ...change, revision: before.revision + 1 })
    .where(eq(pipelines.id, id))
    .returning();
  if (after === undefined) throw unknownPipeline(id);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'pipeline.configure',
    target: id,
    before: settingsOf(before),
    after: settingsOf(after),
  });
  const resource = await describe(ctx, work.tx, after, actor);
  const forWorkers = (await workerPipelines(ctx, work.tx)).find(({ pipelineId }) => pipelineId === id);
  work.afterCommit(() => {
    ctx.changes.publish({ event: 'pipeline', data: { pipeline: resource } });
    if (forWorkers === undefined) return;
    for (const role of ['replay', 'apply', 'feed'] as const)
      ctx.workers.broadcast(role, { type: 'settings', pipeline: forWorkers });
  });
  return resource;
}

function changeOf(ctx: ControlContext, before: PipelineRow, patch: PatchPipeline): Partial<PipelineRow> {
  if (patch.demo !== undefined && before.liveEventsPerSecond === null) {
    throw new ProblemError('invalid_request', 'Only the demo has a live feed to set.', { pointer: '/demo' });
  }
  const { capacityEventsPerSecond: capacity, demo, ...rest } = patch;
  return {
    ...rest,
    ...(demo === undefined ? {} : { liveEventsPerSecond: demo.liveEventsPerSecond }),
    ...(capacity === undefined ? {} : capacityChange(ctx, capacity)),
  };
}

function capacityChange(ctx: ControlContext, capacity: number | null): Partial<PipelineRow> {
  if (capacity === null)
    return { capacityEventsPerSecond: null, capacityOrigin: 'unknown', capacityMeasuredAt: null };
  return {
    capacityEventsPerSecond: capacity,
    capacityOrigin: 'set_by_hand',
    capacityMeasuredAt: new Date(ctx.clock.now()),
  };
}

function settingsOf(row: PipelineRow) {
  const {
    capacityEventsPerSecond,
    capacityOrigin,
    replayShare,
    maxSourcesReplaying,
    highWaterMark,
    liveEventsPerSecond,
  } = row;
  return {
    capacityEventsPerSecond,
    capacityOrigin,
    replayShare,
    maxSourcesReplaying,
    highWaterMark,
    liveEventsPerSecond,
  };
}
