/**
 * From a tick to the meter. Rows of backfills and the log are counted by the store and outlive the applier that reports them: here they become
 * counters of its series, by the difference to what was counted last, whoever reported it.
 */
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { type Observation, observe, recall } from '@spillway/shared/cost/meter';
import { LIVE } from '@spillway/shared/cost/slots';
import type { Usage, UsageCounter } from '@spillway/shared/cost/usage';
import { and, eq, inArray, notExists } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills, metered, pipelines } from '../database/schema.ts';
import { isPresent } from '../pipelines/rows.ts';
import { type Durable, type Meter, meterBook } from './meter-book.ts';

type UsageReport = NonNullable<Tick['usage']>[number];
type Apply = NonNullable<Tick['apply']>;

/**
 * How long an applier may be gone so that the next one's first look at the log still tells of its work. After a longer time a database has written
 * for others too: nobody who was not there is charged for that.
 */
const LOG_UNWATCHED_MS = 60_000;

/** Never rejects: metering must not cost a worker its leases. What could not be stored, the next tick tells again. */
export async function recordUsage(ctx: ControlContext, tick: Pick<Tick, 'usage' | 'apply'>): Promise<void> {
  for (const report of tick.usage ?? []) {
    try {
      await record(ctx, report, tick.apply);
    } catch (error) {
      ctx.log.warn({ err: error }, 'use was not metered');
    }
  }
}

async function record(ctx: ControlContext, report: UsageReport, apply: Tick['apply']): Promise<void> {
  const book = meterBook(ctx);
  if (!(await isMetered(ctx, report.pipelineId))) return;
  const own = await welcome(ctx, await book.load(report.pipelineId), report, apply);
  const meter = await book.load(report.pipelineId);
  // Between here and the store nothing is awaited: ticks of several workers change one state in turn.
  const before = meter.state.series[report.series];
  if (before !== undefined && report.sequence <= before.sequence) return;
  const nowMs = ctx.clock.now();
  const observation: Observation = {
    series: report.series,
    sequence: report.sequence,
    startedAtMs: nowMs - report.ageMs,
    atMs: nowMs,
    own: Object.fromEntries(
      report.own
        .filter(({ backfillId }) => backfillId === null || own.has(backfillId))
        .map(({ backfillId, use }) => [backfillId ?? LIVE, usageOf(use)]),
    ),
    shared: usageOf(report.shared),
  };
  // What a forgotten series tells of itself was counted then. What the store has counted since was not, whoever reports it.
  if (before === undefined && report.arrived)
    meter.state = recall(meter.state, { ...observation, sequence: report.sequence - 1 });
  const counted = apply === null ? observation : withDurable(meter, observation, apply, own);
  meter.state = observe(meter.state, counted);
  meter.heardMs.set(report.series, ctx.clock.monotonic());
  if (apply !== null) meter.durable = durableAfter(meter.durable, apply, own, nowMs);
  await book.store(report.pipelineId);
}

/** A worker may still tell of a pipeline that has been removed. What is stored already refers to one that has not. */
async function isMetered(ctx: ControlContext, pipelineId: string): Promise<boolean> {
  const book = meterBook(ctx);
  if ((await book.load(pipelineId)).revision > 0) return true;
  const known = await ctx.database
    .select({ id: pipelines.id })
    .from(pipelines)
    .where(and(eq(pipelines.id, pipelineId), isPresent));
  if (known.length === 0) book.forget(pipelineId);
  return known.length > 0;
}

/** The backfills that may be counted: of this pipeline, and not yet moved out of the meter. */
async function welcome(
  ctx: ControlContext,
  { state }: Meter,
  { pipelineId, own }: UsageReport,
  apply: Tick['apply'],
): Promise<ReadonlySet<string>> {
  const named = [
    ...own.flatMap(({ backfillId }) => backfillId ?? []),
    ...(apply?.counters.map(({ backfillId }) => backfillId) ?? []),
  ];
  const known = new Set(Object.values(state.series).flatMap((series) => Object.keys(series.own)));
  const strangers = [...new Set(named)].filter((id) => !known.has(id));
  if (strangers.length === 0) return new Set(named);
  const rows = await ctx.database
    .select({ id: backfills.id })
    .from(backfills)
    .where(
      and(
        eq(backfills.pipelineId, pipelineId),
        inArray(backfills.id, strangers),
        notExists(ctx.database.select().from(metered).where(eq(metered.backfillId, backfills.id))),
      ),
    );
  return new Set([...named.filter((id) => known.has(id)), ...rows.map(({ id }) => id)]);
}

function withDurable(
  { state, durable }: Meter,
  observation: Observation,
  { counters, store }: Apply,
  welcomed: ReadonlySet<string>,
): Observation {
  const before = state.series[observation.series];
  const own: Record<string, Usage> = { ...observation.own };
  for (const { backfillId, ...now } of counters) {
    if (!welcomed.has(backfillId)) continue;
    const last = durable.rows[backfillId];
    const inserted = since(now.applied, last?.applied);
    const noop = since(now.duplicate, last?.duplicate);
    const quarantined = since(now.quarantined, last?.quarantined);
    const counted = before?.own[backfillId];
    own[backfillId] = {
      ...own[backfillId],
      rowsInserted: (counted?.rowsInserted ?? 0n) + inserted,
      rowsNoop: (counted?.rowsNoop ?? 0n) + noop,
      rowsAttempted: (counted?.rowsAttempted ?? 0n) + inserted + noop + quarantined,
    };
  }
  if (store.walBytes === null) return { ...observation, own };
  const told = before?.shared.walBytes;
  const watched = told !== undefined || observation.atMs - (durable.walAtMs ?? 0) <= LOG_UNWATCHED_MS;
  const written = durable.walBytes === null || !watched ? 0n : since(store.walBytes, durable.walBytes);
  const walBytes = (told ?? 0n) + written;
  return { ...observation, own, shared: { ...observation.shared, walBytes } };
}

function durableAfter(
  durable: Durable,
  { counters, store }: Apply,
  welcomed: ReadonlySet<string>,
  nowMs: number,
): Durable {
  const rows = { ...durable.rows };
  for (const { backfillId, applied, duplicate, quarantined } of counters) {
    if (!welcomed.has(backfillId)) continue;
    const last = rows[backfillId] ?? { applied: 0, duplicate: 0, quarantined: 0 };
    rows[backfillId] = {
      applied: Math.max(last.applied, applied),
      duplicate: Math.max(last.duplicate, duplicate),
      quarantined: Math.max(last.quarantined, quarantined),
    };
  }
  if (store.walBytes === null) return { ...durable, rows };
  return { ...durable, walBytes: store.walBytes, walAtMs: nowMs, rows };
}

/** A log that begins anew (another store) has written nothing we know of; a count that is older than the last adds nothing. */
function since(now: number, last: number | undefined): bigint {
  return BigInt(Math.max(0, now - (last ?? 0)));
}

function usageOf(digits: Partial<Record<UsageCounter, string>>): Usage {
  return Object.fromEntries(Object.entries(digits).map(([counter, value]) => [counter, BigInt(value)]));
}
