import type { CreatePipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { eq } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { shownExternal } from './external.ts';
import { pushSettings } from './push-settings.ts';
import { describe } from './queries.ts';
import { lastRemovedRevision } from './removed.ts';

/** The step of its coverage: of its own buckets nobody here knows. */
const HOUR_MS = 3_600_000;

/** Another name for another place: what a worker still says of the old one is not taken for the new. */
export function streamNameOf(id: string, revision: number): string {
  return `external.${id}.${revision}`;
}

/**
 * The user's server has been looked at: an api that is asked to make a pipeline says at once what is wrong with it. Nothing is made there.
 * Errors: `pipeline_exists`, `invalid_request` (a floor above the share).
 */
export async function createPipeline(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  body: CreatePipeline,
): Promise<Pipeline> {
  const { id, external, route, replayShare = 0.5, replayFloor = 0 } = body;
  if (replayFloor > replayShare)
    throw new ProblemError(
      'invalid_request',
      `The floor of replay may not be above its share: ${replayFloor} is more than ${replayShare}.`,
      { pointer: '/replayFloor' },
    );
  await refuseKnown(work.tx, id);
  const capacity = body.capacityEventsPerSecond ?? null;
  // After those of whoever had the name before: neither its stream nor its ETag is taken for that of another.
  const revision = ((await lastRemovedRevision(work.tx, id)) ?? 0) + 1;
  const stream = streamNameOf(id, revision);
  const [row] = await work.tx
    .insert(pipelines)
    .values({
      id,
      title: redactText(body.title),
      external,
      capacityEventsPerSecond: capacity,
      ...(capacity === null
        ? {}
        : { capacityOrigin: 'set_by_hand', capacityMeasuredAt: new Date(ctx.clock.now()) }),
      replayShare,
      replayFloor,
      headroom: body.headroom ?? 0.1,
      maxSourcesReplaying: body.maxSourcesReplaying ?? 4,
      highWaterMark: body.highWaterMark ?? 10_000,
      bucketMs: HOUR_MS,
      allowedLatenessMs: 0,
      eventRetentionMs: 0,
      route: route.kind,
      routeDecision: redactText(route.decision),
      // One name for both, so that a change of route asks for no other.
      liveStream: stream,
      replayStream: stream,
      revision,
    })
    .onConflictDoNothing()
    .returning();
  if (row === undefined) throw known(id);
  const pipeline = await describe(ctx, work.tx, row, actor);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'pipeline.create',
    target: id,
    before: null,
    after: { title: row.title, external: shownExternal(external), route },
  });
  work.afterCommit(async () => {
    ctx.changes.publish({ event: 'pipeline', data: { pipeline } });
    governorMemory(ctx).trigger();
    await pushSettings(ctx, id);
  });
  return pipeline;
}

/** Locked: of one that is being removed the end is waited for, and the revision that it ends with is seen. Errors: `pipeline_exists`. */
async function refuseKnown(tx: Transaction, id: string): Promise<void> {
  const [row] = await tx
    .select({ id: pipelines.id })
    .from(pipelines)
    .where(eq(pipelines.id, id))
    .for('key share');
  if (row !== undefined) throw known(id);
}

function known(id: string): ProblemError {
  return new ProblemError('pipeline_exists', `There is a pipeline ${id} already.`, { pointer: '/id' });
}
