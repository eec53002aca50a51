import { isFinal as stateIsFinal } from '@spillway/shared/backfill/state-machine';
import type { Coverage, Span } from '@spillway/shared/finality/is-final';
import { and, eq, gt, isNull, lt, ne, or } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills, gaps, lanes, sources } from '../database/schema.ts';
import type { PipelineRow } from '../pipelines/rows.ts';
import { pipelineWatermark } from './watermarks.ts';

/** What is known about the coverage of a range by each source of a pipeline, for {@link isFinal}. */
export async function coverageOf(
  ctx: ControlContext,
  pipeline: PipelineRow,
  range: Span,
): Promise<(sourceId: string) => Coverage> {
  const watermark = await pipelineWatermark(ctx, ctx.database, pipeline.id);
  const left = await ctx.database
    .select({ sourceId: gaps.sourceId, from: gaps.gapFrom, to: gaps.gapTo })
    .from(gaps)
    .innerJoin(sources, eq(sources.id, gaps.sourceId))
    .where(
      and(
        eq(sources.pipelineId, pipeline.id),
        lt(gaps.gapFrom, range.to),
        or(isNull(gaps.gapTo), gt(gaps.gapTo, range.from)),
      ),
    );
  const spans = await ctx.database
    .select({ sourceId: lanes.sourceId, from: lanes.laneFrom, to: lanes.laneTo, state: backfills.state })
    .from(lanes)
    .innerJoin(backfills, eq(backfills.id, lanes.backfillId))
    .where(
      and(
        eq(backfills.pipelineId, pipeline.id),
        ne(backfills.state, 'cancelled'),
        lt(lanes.laneFrom, range.to),
        gt(lanes.laneTo, range.from),
      ),
    );
  const fed = await ctx.database
    .select({ id: sources.id })
    .from(sources)
    .where(and(eq(sources.pipelineId, pipeline.id), eq(sources.live, true)));
  return (sourceId) => {
    const own = spans.filter((span) => span.sourceId === sourceId);
    return {
      watermark,
      allowedLatenessMs: pipeline.allowedLatenessMs,
      liveFrom: fed.some(({ id }) => id === sourceId) ? pipeline.liveFrom : null,
      gaps: left
        .filter((gap) => gap.sourceId === sourceId)
        .map(({ from, to }) => ({ from, to: to ?? Number.POSITIVE_INFINITY })),
      completed: own.filter(({ state }) => state === 'completed'),
      unfinished: own.filter(({ state }) => !stateIsFinal(state)),
    };
  };
}
