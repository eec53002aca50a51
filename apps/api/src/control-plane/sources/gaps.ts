/**
 * What the demo's feed says of the outages it was told of. Each tick repeats it all, so a tick lost, late or twice changes nothing.
 *
 * Invariant: a gap that is closed covers everything its outage left out. Its beginning is set by the first report (before that it is only
 * where the feed was last heard of) and never raised again; its end is set once, by a report that it is over of an outage that is.
 */
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { ControlContext } from '../context.ts';
import { type Database, unitOfWork } from '../database/database.ts';
import { gaps, pipelines, sources } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { pushSettings } from '../pipelines/push-settings.ts';
import { spillway } from '../spillway.ts';

type FeedReport = NonNullable<Tick['feed']>;
type Reported = FeedReport['outages'][number];
type Gap = typeof gaps.$inferSelect;

const reachedBy = new WeakMap<Database, number>();

/** The event time that the demo's feed has reached; null until it has been heard. */
export function feedReached(ctx: Pick<ControlContext, 'database'>): number | null {
  return reachedBy.get(ctx.database) ?? null;
}

/** Of the feed that is at work, not of one that stands by. */
export async function learnFromFeed(ctx: ControlContext, feed: FeedReport): Promise<void> {
  if (feed.eventTime !== null) reachedBy.set(ctx.database, feed.eventTime);
  const unheard = new Set<string>();
  for (const { gap, pipelineId } of await gapsOfOpenExtent(ctx)) {
    const reported = feed.outages.find(({ outageId }) => outageId === gap.id);
    if (reported === undefined || (reported.to === null) !== (gap.reconnectedAt === null))
      unheard.add(pipelineId);
    if (reported !== undefined && tellsMore(gap, reported)) await record(ctx, gap.id, pipelineId, reported);
  }
  // The settings it was sent have not arrived, or not yet: sent twice they change nothing.
  for (const pipelineId of unheard) await pushSettings(ctx, pipelineId);
}

function gapsOfOpenExtent(ctx: ControlContext): Promise<{ gap: Gap; pipelineId: string }[]> {
  return ctx.database
    .select({ gap: gaps, pipelineId: pipelines.id })
    .from(gaps)
    .innerJoin(sources, eq(sources.id, gaps.sourceId))
    .innerJoin(pipelines, eq(pipelines.id, sources.pipelineId))
    .where(and(isNull(gaps.gapTo), isNotNull(pipelines.liveEventsPerSecond)));
}

function tellsMore(gap: Gap, reported: Reported): boolean {
  return (
    !gap.fromKnown || reported.from < gap.gapFrom || (reported.to !== null && gap.reconnectedAt !== null)
  );
}

async function record(
  ctx: ControlContext,
  gapId: string,
  pipelineId: string,
  reported: Reported,
): Promise<void> {
  await unitOfWork(ctx.database, async (work) => {
    const { tx } = work;
    // In this order everywhere: the source, then its gap.
    await tx
      .select({ id: sources.id })
      .from(sources)
      .where(eq(sources.id, reported.sourceId))
      .for('no key update');
    const [gap] = await tx.select().from(gaps).where(eq(gaps.id, gapId)).for('update');
    if (gap === undefined || gap.gapTo !== null || gap.sourceId !== reported.sourceId) return;
    const gapFrom = gap.fromKnown ? Math.min(gap.gapFrom, reported.from) : reported.from;
    if (gap.reconnectedAt === null) {
      await tx.update(gaps).set({ gapFrom, fromKnown: true }).where(eq(gaps.id, gapId));
      await tx.update(sources).set({ disconnectedAt: gapFrom }).where(eq(sources.id, gap.sourceId));
      return;
    }
    if (reported.to === null) return;
    const gapTo = Math.max(gapFrom, reported.to);
    await tx.update(gaps).set({ gapFrom, fromKnown: true, gapTo }).where(eq(gaps.id, gapId));
    if (gapFrom === gapTo)
      await appendAudit(work, ctx.clock, {
        actor: spillway,
        action: 'source.gap_empty',
        target: gap.sourceId,
        reason: 'Nothing was left out of live: no backfill is needed.',
        before: null,
        after: { gapId, at: new Date(gapFrom).toISOString() },
      });
    work.afterCommit(async () => {
      await pushSettings(ctx, pipelineId);
      governorMemory(ctx).trigger();
    });
  });
}
