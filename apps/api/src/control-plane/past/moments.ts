/** A moment that was recorded, in the shape of the present: what the row of its step holds, and what of it never changes. */
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Alert } from '@spillway/shared/api/governor';
import { MOMENTS_MAX, type Moment, type Moments } from '@spillway/shared/api/past';
import type { Marker } from '@spillway/shared/api/pipeline';
import {
  governorFrom,
  type RecordedBackfill,
  replayFrom,
  stagesFrom,
  streamsFrom,
} from '@spillway/shared/telemetry/snapshot';
import { before } from '@spillway/shared/time/calendar';
import { and, asc, eq, gt, inArray, lt } from 'drizzle-orm';
import type { Static } from 'typebox';
import { type AlertRow, alertRowsOf, toAlert } from '../alerts/queries.ts';
import { selectRecords, TRIED_AGAIN, toResource } from '../backfill/resource.ts';
import type { ControlContext } from '../context.ts';
import { BUDGET_NEAR } from '../cost/hold-budgets.ts';
import { loadMeters } from '../cost/meter-book.ts';
import { backfills, telemetry } from '../database/schema.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { resolutions, stepDurations } from '../telemetry/history.ts';
import { listMarkers } from '../telemetry/markers.ts';

type Step = (typeof resolutions)[number];
type Row = Pick<typeof telemetry.$inferSelect, 'at' | 'values' | 'snapshot'>;

/** A second is sometimes left out, when the database was slow: the one before it still says how things stood. */
const STANDS_FOR_MS = 5_000;

/** Errors: `unknown_pipeline`; `moment_in_future`; `moment_not_recorded`. */
export async function readMoment(ctx: ControlContext, pipelineId: string, at: string): Promise<Moment> {
  await requirePipeline(ctx.database, pipelineId);
  const atMs = refuseFuture(ctx, at, 'at');
  const step = stepFor(ctx.clock.now() - atMs);
  const rows = await rowsOf(
    ctx,
    pipelineId,
    step,
    before(atMs, Math.max(STANDS_FOR_MS, step.stepSeconds * 1000)),
    atMs + 1,
  );
  const row = rows.at(-1);
  if (row === undefined) throw await notRecorded(ctx, pipelineId, atMs, 'at');
  return (await assemble(ctx, pipelineId, step, [row]))[0] as Moment;
}

/**
 * Every moment recorded in `[from, to)`, at the finest step that is still kept for all of it and fits one answer; none where nothing was recorded.
 * Errors: `unknown_pipeline`; `invalid_window`; `moment_in_future`; `invalid_request` for more than {@link MOMENTS_MAX} steps;
 * `moment_not_recorded` when all of it lies before the first.
 */
export async function readMoments(
  ctx: ControlContext,
  pipelineId: string,
  query: { readonly from: string; readonly to: string },
): Promise<Moments> {
  await requirePipeline(ctx.database, pipelineId);
  const from = refuseFuture(ctx, query.from, 'from');
  const to = Date.parse(query.to);
  if (from >= to)
    throw new ProblemError('invalid_window', 'The range ends before it begins.', { pointer: 'to' });
  const step = stepFor(ctx.clock.now() - from, to - from);
  if (!fits(step, to - from))
    throw new ProblemError(
      'invalid_request',
      `At most ${MOMENTS_MAX} steps of ${stepDurations[step.stepSeconds]}.`,
      {
        pointer: 'to',
      },
    );
  const rows = await rowsOf(ctx, pipelineId, step, before(from, 1), to);
  if (rows.length === 0) {
    const first = await firstRecorded(ctx, pipelineId);
    if (first === null || to <= first) throw await notRecorded(ctx, pipelineId, from, 'from');
  }
  return { step: stepDurations[step.stepSeconds], items: await assemble(ctx, pipelineId, step, rows) };
}

/** Epoch ms of the oldest moment that can be looked at; null: nothing is recorded. */
export async function firstRecorded(
  ctx: Pick<ControlContext, 'database'>,
  pipelineId: string,
): Promise<number | null> {
  const oldest = resolutions.map(async ({ stepSeconds }) => {
    const [row] = await ctx.database
      .select({ at: telemetry.at })
      .from(telemetry)
      .where(and(eq(telemetry.pipelineId, pipelineId), eq(telemetry.stepSeconds, stepSeconds)))
      .orderBy(asc(telemetry.at))
      .limit(1);
    return row === undefined ? [] : [row.at.getTime()];
  });
  const known = (await Promise.all(oldest)).flat();
  return known.length === 0 ? null : Math.min(...known);
}

/** The finest that is still kept of what is so old, and of which so much fits one answer; minutes where there is none. */
function stepFor(ageMs: number, lengthMs = 0): Step {
  return resolutions.find((step) => ageMs < step.keptMs && fits(step, lengthMs)) ?? resolutions[2];
}

function fits({ stepSeconds }: Step, lengthMs: number): boolean {
  return lengthMs / (stepSeconds * 1000) <= MOMENTS_MAX;
}

/** Epoch ms of `at`. Errors: `moment_in_future`. */
export function refuseFuture(ctx: ControlContext, at: string, pointer: string): number {
  const atMs = Date.parse(at);
  if (atMs > ctx.clock.now())
    throw new ProblemError('moment_in_future', `${at} has not come yet: it is ${nowOf(ctx)}.`, { pointer });
  return atMs;
}

async function notRecorded(ctx: ControlContext, pipelineId: string, atMs: number, pointer: string) {
  const first = await firstRecorded(ctx, pipelineId);
  const at = new Date(atMs).toISOString();
  const detail =
    first === null
      ? `Nothing of ${pipelineId} is recorded yet.`
      : atMs < first
        ? `${at} lies before the oldest moment recorded, ${new Date(first).toISOString()}.`
        : `Nothing was recorded at ${at}: Spillway was not running, or could not write.`;
  return new ProblemError('moment_not_recorded', detail, { pointer });
}

/** After `afterMs`, before `beforeMs`. */
function rowsOf(
  ctx: ControlContext,
  pipelineId: string,
  { stepSeconds }: Step,
  afterMs: number,
  beforeMs: number,
): Promise<Row[]> {
  return ctx.database
    .select({ at: telemetry.at, values: telemetry.values, snapshot: telemetry.snapshot })
    .from(telemetry)
    .where(
      and(
        eq(telemetry.pipelineId, pipelineId),
        eq(telemetry.stepSeconds, stepSeconds),
        gt(telemetry.at, new Date(afterMs)),
        lt(telemetry.at, new Date(beforeMs)),
      ),
    )
    .orderBy(asc(telemetry.at));
}

async function assemble(
  ctx: ControlContext,
  pipelineId: string,
  { stepSeconds }: Step,
  rows: readonly Row[],
): Promise<Moment[]> {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return [];
  const stepMs = stepSeconds * 1000;
  // A second is named by its end, a longer step by its begin.
  const beginOf = ({ at }: Row) => at.getTime() - (stepSeconds === 1 ? stepMs : 0);
  const range = { pipelineId, from: beginOf(first), to: beginOf(last) + stepMs };
  const [markers, raised, whole] = [
    await listMarkers(ctx.database, range),
    await alertRowsOf(ctx, { ...range, to: range.to + 1 }),
    await wholeBackfills(ctx, rows),
  ];
  return rows.map((row): Moment => {
    const atMs = row.at.getTime();
    const [beginMs, { values, snapshot }] = [beginOf(row), row];
    const within = { from: beginMs, to: beginMs + stepMs };
    return {
      pipelineId,
      at: atMs,
      step: stepDurations[stepSeconds],
      values,
      replay: snapshot === null ? null : replayFrom(snapshot),
      stages: snapshot === null ? null : stagesFrom(snapshot, values, atMs),
      streams: snapshot === null ? [] : streamsFrom(snapshot, values),
      markers: markersIn(markers, within),
      governor: snapshot === null ? null : governorFrom(snapshot, values),
      replayPaused: snapshot?.replayPaused ?? null,
      alerts: alertsIn(
        raised,
        { from: stepSeconds === 1 ? within.to : beginMs, to: within.to },
        snapshot?.alerts ?? [],
      ),
      backfills:
        snapshot === null
          ? null
          : snapshot.backfills.flatMap((was) => {
              const is = whole.get(was.id);
              return is === undefined ? [] : [asItWas(is, was, within.to)];
            }),
      backfillsLeftOut: snapshot?.backfillsLeftOut ?? 0,
    };
  });
}

const markersIn = (markers: readonly Static<typeof Marker>[], { from, to }: { from: number; to: number }) =>
  markers.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to);

/** Raised at the end of a second, or at some time of a longer step; what it said then where that was recorded. */
function alertsIn(
  raised: readonly AlertRow[],
  { from, to }: { from: number; to: number },
  said: readonly { id: string; detail: string; severity: Alert['severity'] }[],
): Alert[] {
  return raised
    .filter(
      ({ raisedAt, clearedAt }) =>
        raisedAt.getTime() <= to && (clearedAt === null || clearedAt.getTime() > from),
    )
    .map((row) => ({ ...toAlert({ ...row, clearedAt: null }), ...said.find(({ id }) => id === row.id) }));
}

async function wholeBackfills(ctx: ControlContext, rows: readonly Row[]): Promise<Map<string, Backfill>> {
  const ids = [...new Set(rows.flatMap(({ snapshot }) => snapshot?.backfills.map(({ id }) => id) ?? []))];
  if (ids.length === 0) return new Map();
  const records = await selectRecords(ctx.database).where(inArray(backfills.id, ids));
  await loadMeters(ctx, records);
  return new Map(records.map((record) => [record.row.id, toResource(ctx, record, false)]));
}

/** Nothing can be done to what has been. */
function asItWas(is: Backfill, was: RecordedBackfill, toMs: number): Backfill {
  const by = (at: string | null) => (at !== null && Date.parse(at) <= toMs ? at : null);
  return {
    ...is,
    ...was,
    progress: { ...was.progress, eventsDone: doneThen(was.progress) },
    // The others were there from the start; how much of the budget was spent then, its cost says.
    warnings: is.warnings.filter(({ code }) => code !== BUDGET_NEAR && code !== TRIED_AGAIN),
    cost:
      was.cost === null || is.cost === null
        ? was.cost
        : {
            ...was.cost,
            estimate: is.cost.estimate,
            estimateMade: is.cost.estimateMade,
            estimateMissing: is.cost.estimateMissing,
          },
    startedAt: by(is.startedAt),
    endedAt: by(is.endedAt),
    allowedActions: [],
  };
}

/** Absent: recorded before it was, when nothing was read a second time. */
function doneThen(was: Omit<Backfill['progress'], 'eventsDone'> & { eventsDone?: number }): number {
  return was.eventsDone ?? (was.eventsApplied ?? was.eventsPublished) + (was.eventsDuplicate ?? 0);
}

function nowOf(ctx: ControlContext): string {
  return new Date(ctx.clock.now()).toISOString();
}
