import type { Stages, Streams, Telemetry, TelemetryQuery } from '@spillway/shared/api/pipeline';
import { before } from '@spillway/shared/time/calendar';

import { and, asc, eq, gte, lt, sql } from 'drizzle-orm';
import type { Static } from 'typebox';
import type { ControlContext } from '../context.ts';
import { telemetry } from '../database/schema.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { resolutions, stepDurations } from './history.ts';
import { listMarkers } from './markers.ts';

const DEFAULT_SPAN_MS = 10 * 60_000;
/** Rows of one answer; a longer range is answered at a coarser step. */
const MOST_ROWS = 3_600;
/** Named ones of one answer, twice as many as a screen asks for: with {@link MOST_ROWS} of each it stays within a few MB. */
const MOST_NAMES = 100;
/** `backfill.<id>.eventsPerSecond`, `backfill.<id>.appliedEventsPerSecond`, `backfill.<id>.publishedEventsPerSecond`. */
const OF_BACKFILLS = 'backfill.';
type Values = (typeof telemetry.$inferSelect)['values'];
/** How fast each at work ran, and the rates of those that a step remembers whole (twenty at most), under the names of their metrics. */
const recordedRates = sql`(
  select coalesce(jsonb_object_agg(${OF_BACKFILLS}::text || (b ->> 'id') || '.' || rate, b -> 'progress' -> rate), '{}')
  from jsonb_array_elements(coalesce(${telemetry.snapshot} -> 'backfills', '[]')) b,
    unnest(array['appliedEventsPerSecond', 'publishedEventsPerSecond']) rate) || (
  select coalesce(jsonb_object_agg(${OF_BACKFILLS}::text || id || '.eventsPerSecond', rate), '{}')
  from jsonb_each(coalesce(${telemetry.snapshot} -> 'replay' -> 'backfills', '{}')) as each(id, rate))`;
const steps = { PT1S: 1, PT10S: 10, PT1M: 60 } as const;

export async function readTelemetry(
  ctx: ControlContext,
  pipelineId: string,
  query: Static<typeof TelemetryQuery>,
): Promise<Telemetry> {
  await requirePipeline(ctx.database, pipelineId);
  const to = query.to === undefined ? ctx.clock.now() : Date.parse(query.to);
  const from = query.from === undefined ? before(to, DEFAULT_SPAN_MS) : Date.parse(query.from);
  if (from >= to)
    throw new ProblemError('invalid_window', 'The range ends before it begins.', { pointer: 'to' });
  const stepSeconds =
    query.step === undefined
      ? finestStep(ctx.clock.now(), from, to)
      : steps[query.step as keyof typeof steps];
  if ((to - from) / (stepSeconds * 1000) > MOST_ROWS) {
    throw new ProblemError(
      'invalid_request',
      `At most ${MOST_ROWS} steps an answer: ask for a shorter range or a longer step.`,
      { pointer: 'step' },
    );
  }
  const asked = query.names === undefined ? null : new Set(query.names.split(',').map((name) => name.trim()));
  if (asked !== null && asked.size > MOST_NAMES)
    throw new ProblemError('invalid_request', `At most ${MOST_NAMES} names an answer.`, { pointer: 'names' });
  const ofBackfills = [...(asked ?? [])].some((name) => name.startsWith(OF_BACKFILLS));
  const rows = await ctx.database
    .select({
      at: telemetry.at,
      values: ofBackfills ? sql<Values>`${telemetry.values} || ${recordedRates}` : telemetry.values,
    })
    .from(telemetry)
    .where(
      and(
        eq(telemetry.pipelineId, pipelineId),
        eq(telemetry.stepSeconds, stepSeconds),
        gte(telemetry.at, new Date(from)),
        lt(telemetry.at, new Date(to)),
      ),
    )
    .orderBy(asc(telemetry.at));
  // What a moment is made of beside the metrics would be two thirds of every answer.
  const names =
    asked ?? new Set(rows.flatMap(({ values }) => Object.keys(values).filter((name) => !name.includes('.'))));
  const series = Object.fromEntries(
    [...names].map((name) => [
      name,
      rows.map(({ at, values }): [number, number | null] => [
        at.getTime(),
        Object.hasOwn(values, name) ? (values[name] ?? null) : null,
      ]),
    ]),
  );
  return {
    step: stepDurations[stepSeconds],
    series,
    markers: await listMarkers(ctx.database, { pipelineId, from, to }),
  };
}

/** The finest step that is still kept for all of the range and fits one answer. */
function finestStep(now: number, from: number, to: number): 1 | 10 | 60 {
  const fits = resolutions.find(
    ({ stepSeconds, keptMs }) => now - from <= keptMs && (to - from) / (stepSeconds * 1000) <= MOST_ROWS,
  );
  return fits?.stepSeconds ?? 60;
}

export async function readStages(ctx: ControlContext, pipelineId: string): Promise<Stages> {
  await requirePipeline(ctx.database, pipelineId);
  return latest(ctx, pipelineId).stages;
}

export async function readStreams(ctx: ControlContext, pipelineId: string): Promise<Streams> {
  await requirePipeline(ctx.database, pipelineId);
  return { items: latest(ctx, pipelineId).streams, nextCursor: null };
}

function latest(ctx: ControlContext, pipelineId: string) {
  const event = ctx.telemetry.latest(pipelineId);
  if (event === null)
    throw new ProblemError('unavailable', 'Nothing has been measured yet; ask again in a second.');
  return event;
}
