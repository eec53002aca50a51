import { isFinal as stateIsFinal } from '@spillway/shared/backfill/state-machine';
import type { Coverage, Span } from '@spillway/shared/finality/is-final';
import { and, eq, gt, lt, ne } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills, lanes, sources } from '../database/schema.ts';
import type { PipelineRow } from '../pipelines/rows.ts';
import { liveWatermarks, lowest } from './watermarks.ts';

/** What is known about the coverage of a range by each source of a pipeline, for {@link isFinal}. */
export async function coverageOf(
  ctx: ControlContext,
  pipeline: PipelineRow,
  range: Span,
): Promise<(sourceId: string) => Coverage> {
  const connected = await ctx.database
    .select({ id: sources.id })
    .from(sources)
    .where(and(eq(sources.pipelineId, pipeline.id), ne(sources.state, 'disconnected')));
  const watermark = lowest(
    liveWatermarks(ctx),
    connected.map(({ id }) => id),
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
  return (sourceId) => {
    const own = spans.filter((span) => span.sourceId === sourceId);
    return {
      watermark,
      allowedLatenessMs: pipeline.allowedLatenessMs,
      liveFrom: pipeline.liveFrom,
      completed: own.filter(({ state }) => state === 'completed'),
      unfinished: own.filter(({ state }) => !stateIsFinal(state)),
    };
  };
}
