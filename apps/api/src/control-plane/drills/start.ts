import type { Drill, StartDrill } from '@spillway/shared/api/governor';
import { newId } from '../access/secrets.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { drills } from '../database/schema.ts';
import { keepPipeline, requireOwnStore } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { toDrill, unfilled } from './resource.ts';
import type { DrillRunner } from './runner.ts';

/**
 * A fire drill: the store really stands still for `forMs`, and the report tells what happened. While it runs nothing is spared: the
 * governor throttles and alerts are raised as in any other stall, which is what the drill is to show.
 *
 * Errors: `unknown_pipeline`, `pipeline_external`, `drill_running`, `unavailable` (no apply worker is at work, so nothing could be seen).
 */
export async function startDrill(
  ctx: ControlContext,
  runner: DrillRunner,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  { forMs }: StartDrill,
): Promise<Drill> {
  const pipeline = await keepPipeline(work.tx, pipelineId);
  requireOwnStore(pipeline, 'store to be stalled');
  if ((ctx.telemetry.observation(pipelineId)?.apply ?? null) === null)
    throw new ProblemError(
      'unavailable',
      'No apply worker is at work: a stall of the store would show nothing.',
    );
  // Nothing else is unique but the one that may be under way.
  const [row] = await work.tx
    .insert(drills)
    .values({
      id: newId('dr'),
      pipelineId,
      forMs,
      startedBy: actor.name,
      requestedAt: new Date(ctx.clock.now()),
      state: 'stalling',
      stages: unfilled,
    })
    .onConflictDoNothing()
    .returning();
  if (row === undefined) throw new ProblemError('drill_running', `A drill of ${pipelineId} is under way.`);
  const drill = toDrill(row);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'pipeline.drill',
    target: pipelineId,
    before: null,
    after: { drillId: drill.id, forMs },
  });
  work.afterCommit(() => runner.run(row, pipeline));
  return drill;
}
