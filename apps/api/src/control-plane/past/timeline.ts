/** What the time bar shows of a span: where anything was recorded, how live was, who did what, what was wrong. */
import type { Timeline, timelineSpans } from '@spillway/shared/api/past';
import { before } from '@spillway/shared/time/calendar';
import { durationMs } from '@spillway/shared/time/duration';
import { sql } from 'drizzle-orm';
import { alertRowsOf, toAlert } from '../alerts/queries.ts';
import type { ControlContext } from '../context.ts';
import { telemetry } from '../database/schema.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { listMarkers } from '../telemetry/markers.ts';
import { firstRecorded, refuseFuture } from './moments.ts';

/** By span: the step that is read, and the bins it is shown in. Thirty days of minutes are counted, not looked into. */
const shapes = {
  PT1H: { stepSeconds: 10, binMs: 20_000, looksInside: true },
  P1D: { stepSeconds: 60, binMs: 360_000, looksInside: true },
  P30D: { stepSeconds: 60, binMs: 10_800_000, looksInside: false },
} as const;

/** Errors: `unknown_pipeline`; `moment_in_future` when `to` is. */
export async function readTimeline(
  ctx: ControlContext,
  pipelineId: string,
  query: { readonly span?: (typeof timelineSpans)[number]; readonly to?: string },
): Promise<Timeline> {
  await requirePipeline(ctx.database, pipelineId);
  const to = query.to === undefined ? ctx.clock.now() : refuseFuture(ctx, query.to, 'to');
  const span = query.span ?? 'PT1H';
  const from = before(to, durationMs(span) as number);
  const { binMs } = shapes[span];
  const [bins, markers, raised, recordedFrom] = [
    await readBins(ctx, pipelineId, from, to, shapes[span]),
    await listMarkers(ctx.database, { pipelineId, from, to }, 'newest'),
    await alertRowsOf(ctx, { pipelineId, from, to }),
    await firstRecorded(ctx, pipelineId),
  ];
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    recordedFrom: recordedFrom === null ? null : new Date(recordedFrom).toISOString(),
    binMs,
    bins,
    markers,
    alerts: raised.map(toAlert),
  };
}

/** The last minute has no ten-second row yet at its end: it is filled with seconds by nobody, the bar reaches to now all the same. */
async function readBins(
  ctx: ControlContext,
  pipelineId: string,
  from: number,
  to: number,
  { stepSeconds, binMs, looksInside }: (typeof shapes)[keyof typeof shapes],
): Promise<Timeline['bins']> {
  const bin = sql`floor(extract(epoch from ${telemetry.at}) * 1000 / ${sql.raw(String(binMs))})`;
  const metric = (name: string) => sql`(${telemetry.values} ->> ${sql.raw(`'${name}'`)})::float8`;
  const { rows } = await ctx.database.execute<{
    bin: number;
    freshness: number | null;
    replay: number | null;
  }>(sql`
    select ${bin}::float8 as bin,
      ${looksInside ? sql`max(${metric('liveFreshnessMsP99')})` : sql`null::float8`} as freshness,
      ${looksInside ? sql`avg(${metric('replayEventsPerSecond')})` : sql`null::float8`} as replay
    from ${telemetry}
    where ${telemetry.pipelineId} = ${pipelineId} and ${telemetry.stepSeconds} = ${stepSeconds}
      and ${telemetry.at} >= ${new Date(from).toISOString()}::timestamptz and ${telemetry.at} < ${new Date(to).toISOString()}::timestamptz
    group by 1 order by 1`);
  return rows.map((row) => ({
    at: Number(row.bin) * binMs,
    liveFreshnessMsP99: row.freshness,
    replayEventsPerSecond: row.replay,
  }));
}
