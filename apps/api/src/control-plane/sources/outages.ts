/**
 * A feed reports an outage: `disconnected`, and later `reconnected`.
 *
 * A gap opens with the outage. How far it reaches is known when it ends: of the demo from its feed, which says to the event what it left
 * out (gaps.ts), of any other source from `at`. What then happens to it: reconnect.ts.
 *
 * Whether its history can be read (`state: failed`) is another matter: a failed source can be disconnected and comes back failed.
 */
import { randomUUID } from 'node:crypto';
import type { FeedOutage, Source } from '@spillway/shared/api/pipeline';
import { and, eq, isNull } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { gaps, sources } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { pushSettings } from '../pipelines/push-settings.ts';
import { type PipelineRow, requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { feedReached } from './gaps.ts';
import { type SourceRow, sourceActions, sourceResource, unknownSource } from './resource.ts';
import { liveWatermarks } from './watermarks.ts';

/** Errors: `unknown_source`, `source_state` when it is disconnected already, `invalid_request` for a time to come. */
export async function disconnectSource(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { at: given, reason }: FeedOutage,
): Promise<Source> {
  const { tx } = work;
  const { row, pipeline } = await lockSource(tx, id);
  if (!row.live) throw wrongState(row, actor, 'It has no feed: there is only its history.');
  if (row.disconnectedAt !== null) throw wrongState(row, actor, 'It is disconnected already.');
  const at = timeOf(ctx, pipeline, row, given);
  const gapId = `gap_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  await tx.insert(gaps).values({
    id: gapId,
    sourceId: id,
    gapFrom: at,
    fromKnown: given !== undefined || !hasOwnFeed(pipeline),
    disconnectedBy: actor.name,
  });
  const after = await write(tx, id, {
    disconnectedAt: at,
    state: row.state === 'failed' ? 'failed' : 'disconnected',
  });
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'source.disconnect',
    target: id,
    reason: reason ?? null,
    before: { disconnectedAt: null },
    after: { disconnectedAt: new Date(at).toISOString(), gapId },
  });
  work.afterCommit(() => pushSettings(ctx, pipeline.id));
  return sourceResource(ctx, after, actor);
}

/** Errors: `unknown_source`, `source_state` when it is connected, `invalid_request` for a time before the outage or to come. */
export async function reconnectSource(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { at: given, reason }: FeedOutage,
): Promise<Source> {
  const { tx } = work;
  const { row, pipeline } = await lockSource(tx, id);
  const [gap] = await tx
    .select()
    .from(gaps)
    .where(and(eq(gaps.sourceId, id), isNull(gaps.reconnectedAt)));
  if (row.disconnectedAt === null || gap === undefined) throw wrongState(row, actor, 'It is connected.');
  const at = timeOf(ctx, pipeline, row, given);
  if (given !== undefined && at < gap.gapFrom) {
    throw new ProblemError(
      'invalid_request',
      `${id} was disconnected at ${new Date(gap.gapFrom).toISOString()}: it cannot have come back before.`,
      { pointer: '/at' },
    );
  }
  // The demo's feed knows to the event what it has left out, which may be more than the caller knows of.
  const gapTo = hasOwnFeed(pipeline) ? null : Math.max(gap.gapFrom, at);
  await tx
    .update(gaps)
    .set({ gapTo, reconnectedBy: actor.name, reconnectedAt: new Date(ctx.clock.now()) })
    .where(eq(gaps.id, gap.id));
  const after = await write(tx, id, {
    disconnectedAt: null,
    state: row.state === 'failed' ? 'failed' : 'connected',
  });
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'source.reconnect',
    target: id,
    reason: reason ?? null,
    before: { disconnectedAt: new Date(gap.gapFrom).toISOString(), gapId: gap.id },
    after: { disconnectedAt: null, reconnectedAt: new Date(at).toISOString() },
  });
  work.afterCommit(async () => {
    await pushSettings(ctx, pipeline.id);
    governorMemory(ctx).trigger();
  });
  return sourceResource(ctx, after, actor);
}

/** Locked until the transaction ends; whoever only refers to the source is not held up. */
async function lockSource(tx: Transaction, id: string): Promise<{ row: SourceRow; pipeline: PipelineRow }> {
  const [row] = await tx.select().from(sources).where(eq(sources.id, id)).for('no key update');
  if (row === undefined) throw unknownSource(id);
  return { row, pipeline: await requirePipeline(tx, row.pipelineId) };
}

async function write(
  tx: Transaction,
  id: string,
  columns: Pick<SourceRow, 'disconnectedAt' | 'state'>,
): Promise<SourceRow> {
  const [row] = await tx.update(sources).set(columns).where(eq(sources.id, id)).returning();
  if (row === undefined) throw unknownSource(id);
  return row;
}

function hasOwnFeed(pipeline: PipelineRow): boolean {
  return pipeline.liveEventsPerSecond !== null;
}

/**
 * On the clock of the source's events, and not in its future. Now is, of the demo, where its feed was last heard of (the feed will say
 * better), of any other source the time of day.
 */
function timeOf(
  ctx: ControlContext,
  pipeline: PipelineRow,
  row: SourceRow,
  given: string | undefined,
): number {
  const reached = hasOwnFeed(pipeline) ? feedReached(ctx) : ctx.clock.now();
  const now = reached ?? liveWatermarks(ctx)[row.id] ?? pipeline.liveFrom ?? ctx.clock.now();
  if (given === undefined) return now;
  const at = Date.parse(given);
  if (at > now) {
    throw new ProblemError(
      'invalid_request',
      `${row.id} has reached ${new Date(now).toISOString()} on the clock of its events; what lies ahead cannot be reported.`,
      { pointer: '/at' },
    );
  }
  return at;
}

function wrongState(row: SourceRow, actor: Actor, detail: string): ProblemError {
  return new ProblemError('source_state', detail, {
    state: row.disconnectedAt === null ? 'connected' : 'disconnected',
    allowedActions: sourceActions(row, actor),
  });
}
