/** Completed runs: what later quotes learn from. */
import { askedRate } from '@spillway/shared/backfill/asked-rate';
import {
  assumedPerEvent,
  type Coefficients,
  type FinishedRun,
  learn,
  RUN_EVENTS_MIN,
  RUNS_KEPT,
} from '@spillway/shared/cost/coefficients';
import { longestPauseOf, wentAtItsRate } from '@spillway/shared/cost/longest-pause';
import type { Usage } from '@spillway/shared/cost/usage';
import { type Pace, paceAt } from '@spillway/shared/quote/pace';
import { runSeconds } from '@spillway/shared/quote/run-time';
import { and, desc, eq, gte, sql } from 'drizzle-orm';
import { askedLimitsOf } from '../backfill/asked-limits.ts';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';
import { finishedRuns, pipelines } from '../database/schema.ts';
import type { PipelineRow } from '../pipelines/rows.ts';
import { meterBook } from './meter-book.ts';
import { recordOfUsage, usageOfRecord } from './metered-cost.ts';
import { modelOfPipeline } from './pipeline-model.ts';

/**
 * The last ones, the oldest first: what `learn` takes. A run that is still in the meter has used what that says: its last ticks, which tell of its
 * proof, came after it was completed. Small runs tell nothing, and must not push out those that do.
 */
export async function finishedRunsOf(
  ctx: Pick<ControlContext, 'database' | 'clock'>,
  database: Database | Transaction,
  pipelineId: string,
): Promise<FinishedRun[]> {
  const meter = meterBook(ctx);
  const rows = await database
    .select()
    .from(finishedRuns)
    .where(and(eq(finishedRuns.pipelineId, pipelineId), gte(finishedRuns.events, RUN_EVENTS_MIN)))
    .orderBy(desc(finishedRuns.finishedAt))
    .limit(RUNS_KEPT);
  return rows
    .map((row) => ({
      events: row.events,
      usage: (meter.usageOf(pipelineId, row.backfillId) ?? usageOfRecord(row.usage)).total,
      seconds: row.seconds,
      modelled: { seconds: row.modelledSeconds, streamByteMs: row.modelledStreamByteMs },
      longestPauseMs: row.longestPauseMs,
    }))
    .toReversed();
}

/**
 * In the transaction that completes it. What its last tick tells comes a moment later: `refreshFinishedRun` writes that when it leaves the
 * meter.
 */
export async function recordFinishedRun(
  ctx: ControlContext,
  tx: Transaction,
  row: BackfillRow,
): Promise<void> {
  const meter = meterBook(ctx);
  await meter.load(row.pipelineId, tx);
  const usage = meter.usageOf(row.pipelineId, row.id);
  const events = row.eventsExpected ?? row.eventsApplied + row.eventsDuplicate + row.eventsQuarantined;
  if (usage === null || events <= 0) return;
  const [pipeline] = await tx.select().from(pipelines).where(eq(pipelines.id, row.pipelineId));
  if (pipeline === undefined) return;
  const told = await toldOf(tx, row.id);
  // One that had failed stood until somebody retried it, and read some of it twice: no run to learn from.
  if (told.retried) return;
  const seconds = Math.max(0.001, told.seconds);
  // A rate that was changed on the way is none a quote could have been asked for: what it came to stands for it.
  const asked =
    told.throttled || pipeline.capacityEventsPerSecond === null
      ? events / seconds
      : (askedRate(askedLimitsOf(row), pipeline) ?? events / seconds);
  const model = modelOfPipeline(
    { ...pipeline, capacityEventsPerSecond: pipeline.capacityEventsPerSecond ?? events / seconds },
    0,
  );
  const pace = paceAt(
    { model, events, liveEventsPerSecond: pipeline.liveEventsPerSecond ?? 0, replayAmplification: 1 },
    asked,
  );
  const modelled = runSeconds(model, pace, events);
  // Of a rate that held it is what its estimate was modelled on, with the capacity that was known then.
  const estimated = told.throttled ? null : (row.estimate?.modelled?.seconds ?? null);
  const modelledSeconds = estimated ?? (Number.isFinite(modelled) ? modelled : seconds);
  await tx
    .insert(finishedRuns)
    .values({
      backfillId: row.id,
      pipelineId: row.pipelineId,
      finishedAt: sql`now()`,
      events,
      usage: recordOfUsage(usage),
      seconds,
      modelledSeconds: Math.max(0.001, modelledSeconds),
      modelledStreamByteMs: pace.entrySeconds * 1000 * bytesPerEntryOf(usage.total, row),
      longestPauseMs:
        told.alone && !told.throttled && wentAtItsRate({ ...told, modelled: pace.durationSeconds })
          ? pauseIn(row, pipeline, pace)
          : null,
    })
    .onConflictDoNothing();
}

/** As the database tells of a run. */
interface Told {
  /** Holds left out. */
  readonly seconds: number;
  /** Of its replay, by the ledger: in which the rate it was asked for was the lowest ceiling, and in which another was. */
  readonly byItsRate: number;
  readonly otherwise: number;
  readonly throttled: boolean;
  readonly retried: boolean;
  /** No other backfill published beside it. */
  readonly alone: boolean;
}

async function toldOf(tx: Transaction, backfillId: string): Promise<Told> {
  const { rows } = await tx.execute<Told & Record<string, unknown>>(sql`
    select extract(epoch from now() - b.started_at)::float8
        - coalesce((select sum(l.seconds) from ledger l where l.backfill_id = b.id and l.reason in ('hold', 'budget')), 0) as seconds,
      coalesce((select sum(l.seconds) from ledger l where l.backfill_id = b.id and l.reason in ('operator', 'share')), 0)::float8 as "byItsRate",
      coalesce((select sum(l.seconds) from ledger l where l.backfill_id = b.id and l.reason not in ('operator', 'share', 'hold', 'budget')), 0)::float8
        as otherwise,
      exists (select 1 from audit a where a.target = b.id and a.action = 'backfill.throttle') as throttled,
      exists (select 1 from audit a where a.target = b.id and a.action in ('backfill.retry', 'subwindow.retry')) as retried,
      not exists (select 1 from backfills o where o.pipeline_id = b.pipeline_id and o.id <> b.id and o.started_at is not null
        and (o.ended_at is null or o.ended_at > b.started_at)) as alone
    from backfills b where b.id = ${backfillId}`);
  return (
    rows[0] ?? { seconds: 0, byItsRate: 0, otherwise: 0, throttled: false, retried: false, alone: false }
  );
}

/** Of one that was alone, at the rate it was asked for. A stream that reached its mark, or that live shares, tells nothing. */
function pauseIn(
  { streamPeak }: BackfillRow,
  { route, highWaterMark }: Pick<PipelineRow, 'route' | 'highWaterMark'>,
  pace: Pace,
): number | null {
  if (route === 'shared' || streamPeak === 0 || streamPeak >= highWaterMark) return null;
  return longestPauseOf({
    seen: streamPeak,
    modelled: pace.peakStreamLength,
    eventsPerSecond: pace.publishedEventsPerSecond,
  });
}

/** Its own, so that what is learned of memory is how the stream fills, whatever an entry weighs. */
function bytesPerEntryOf({ publishedBytes }: Usage, { eventsPublished }: BackfillRow): number {
  return publishedBytes !== undefined && eventsPublished > 0
    ? Number(publishedBytes) / eventsPublished
    : assumedPerEvent.publishedBytes;
}

interface Learned {
  readonly coefficients: Coefficients;
  readonly atMs: number;
}

const LEARN_AGAIN_MS = 60_000;
const learned = new WeakMap<Database, Map<string, Learned>>();

/** Read again once a minute at most. */
export async function coefficientsOf(ctx: ControlContext, pipelineId: string): Promise<Coefficients> {
  const known = learned.get(ctx.database) ?? new Map<string, Learned>();
  learned.set(ctx.database, known);
  const nowMs = ctx.clock.monotonic();
  const last = known.get(pipelineId);
  if (last !== undefined && nowMs - last.atMs < LEARN_AGAIN_MS) return last.coefficients;
  const coefficients = learn(await finishedRunsOf(ctx, ctx.database, pipelineId));
  known.set(pipelineId, { coefficients, atMs: nowMs });
  return coefficients;
}

/** It has been removed: of the next of its name nothing is known yet. */
export function forgetCoefficients({ database }: Pick<ControlContext, 'database'>, pipelineId: string): void {
  learned.get(database)?.delete(pipelineId);
}
