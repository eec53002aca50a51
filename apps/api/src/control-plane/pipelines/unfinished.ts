import { finalStates } from '@spillway/shared/backfill/state-machine';
import { and, eq, notInArray } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { backfills } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';

/** With the pipeline's row locked, so that none starts meanwhile. Errors: `backfills_unfinished` naming them. A failed one may be tried again, so it counts. */
export async function refuseUnfinished(
  tx: Transaction,
  pipelineId: string,
  what: string,
  pointer?: string,
): Promise<void> {
  const unfinished = await tx
    .select({ id: backfills.id })
    .from(backfills)
    .where(and(eq(backfills.pipelineId, pipelineId), notInArray(backfills.state, [...finalStates])))
    .orderBy(backfills.ordinal)
    .limit(5);
  if (unfinished.length === 0) return;
  throw new ProblemError(
    'backfills_unfinished',
    `${what} stays while backfills are not finished: complete or cancel ${unfinished.map(({ id }) => id).join(', ')} first.`,
    pointer === undefined ? {} : { pointer },
  );
}
