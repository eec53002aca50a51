/** What a change of where histories lie has to wait for, and what follows it. */
import { finalStates } from '@spillway/shared/backfill/state-machine';
import { and, eq, notInArray } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { backfills, lanes } from '../database/schema.ts';
import { pushSettings } from '../pipelines/push-settings.ts';
import { ProblemError } from '../problem-error.ts';

/**
 * With the source's row locked: a start that has read it holds it until it has committed its lanes, and one that comes later waits.
 * Errors: `source_in_use` naming the backfills. A failed one may be tried again, so it counts.
 */
export async function refuseInUse(tx: Transaction, sourceId: string, what: string): Promise<void> {
  const unfinished = await tx
    .select({ id: backfills.id })
    .from(lanes)
    .innerJoin(backfills, eq(backfills.id, lanes.backfillId))
    .where(and(eq(lanes.sourceId, sourceId), notInArray(backfills.state, [...finalStates])))
    .orderBy(backfills.ordinal)
    .limit(5);
  if (unfinished.length === 0) return;
  throw new ProblemError(
    'source_in_use',
    `${what} while backfills that use source ${sourceId} are not finished: complete or cancel ${unfinished.map(({ id }) => id).join(', ')} first.`,
  );
}

/** The workers hear of it, and count it; what else the pipeline has is not read for that. */
export function afterHistoryChange(
  ctx: ControlContext,
  work: UnitOfWork,
  { pipelineId, id: sourceId }: { readonly pipelineId: string; readonly id: string },
): void {
  work.afterCommit(async () => {
    await pushSettings(ctx, pipelineId);
    ctx.workers.broadcast('replay', { type: 'count', pipelineId, sourceId });
  });
}
