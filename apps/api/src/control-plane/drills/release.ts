import type { Drill } from '@spillway/shared/api/governor';
import { and, eq, isNull } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { drills } from '../database/schema.ts';
import { requireDrill } from './queries.ts';
import { toDrill } from './resource.ts';
import type { DrillRunner } from './runner.ts';

/**
 * Gives the store back before the drill's time. The answer is the report as it stands: `releasedBy` is the wish, `releasedAt`, which
 * comes a moment later, the fact.
 *
 * One wish is kept and audited: of two at a time the second waits for the first's row and finds it taken. One that comes when the stall
 * is over finds nothing to release. Neither is an error: whoever asks wants the store free, and it is or is about to be.
 *
 * Errors: `unknown_pipeline`, `not_found`.
 */
export async function releaseDrill(
  ctx: ControlContext,
  runner: DrillRunner,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  drillId: string,
  { reason = null }: { readonly reason?: string | null } = {},
): Promise<Drill> {
  const [wished] = await work.tx
    .update(drills)
    .set({ releasedBy: actor.name })
    .where(
      and(
        eq(drills.pipelineId, pipelineId),
        eq(drills.id, drillId),
        eq(drills.state, 'stalling'),
        isNull(drills.releasedBy),
      ),
    )
    .returning();
  if (wished === undefined) return toDrill(await requireDrill(work.tx, pipelineId, drillId));
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'pipeline.drill_release',
    target: pipelineId,
    reason,
    before: null,
    after: { drillId, forMs: wished.forMs },
  });
  work.afterCommit(() => runner.release(drillId, actor.name));
  return toDrill(wished);
}
