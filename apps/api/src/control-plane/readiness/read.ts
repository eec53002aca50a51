/** Reads what the checklist is answered from: single statements on the control database, and the last ticks. Never the store, never a source. */
import type { Readiness } from '@spillway/shared/api/readiness';
import { finalStates } from '@spillway/shared/backfill/state-machine';
import { and, count, desc, eq, gt, inArray, isNotNull, isNull, notInArray, sql } from 'drizzle-orm';
import { listAlerts } from '../alerts/queries.ts';
import type { ControlContext } from '../context.ts';
import { currentPriceBook } from '../cost/price-books.ts';
import type { Database } from '../database/database.ts';
import { backfills, lanes, runs, sources, telemetry, tokens } from '../database/schema.ts';
import { listDrills } from '../drills/queries.ts';
import { currentLook } from '../governor/looks.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { liveNeed, usedByReplay } from '../telemetry/observation.ts';
import { presenceOf } from '../workers/membership.ts';
import { readinessOf } from './checklist.ts';
import type { ReadinessFacts, SourceFact } from './facts.ts';

const DRILLS = 10;
const PROOFS = 10;
const ALERTS = 100;

/** Errors: `unknown_pipeline`. */
export async function readReadiness(ctx: ControlContext, pipelineId: string): Promise<Readiness> {
  const pipeline = await requirePipeline(ctx.database, pipelineId);
  const [
    { limits, queuedReconnects },
    slotsHeld,
    leases,
    drills,
    sourceFacts,
    priceBook,
    proofs,
    raised,
    cleared,
    recorded,
    tokenEnds,
  ] = await Promise.all([
    readUnfinished(ctx.database, pipelineId),
    countSlots(ctx.database, pipelineId),
    countLeases(ctx.database, pipelineId),
    listDrills(ctx, pipelineId, { limit: DRILLS }),
    readSources(ctx, pipelineId),
    currentPriceBook(ctx.database, pipelineId),
    readProofs(ctx.database, pipelineId),
    listAlerts(ctx, { pipelineId, state: 'raised', limit: ALERTS }),
    listAlerts(ctx, { pipelineId, state: 'cleared', limit: 1 }),
    readRecorded(ctx.database, pipelineId),
    readTokenEnds(ctx.database),
  ]);
  const seen = ctx.telemetry.observation(pipelineId);
  const clearedAt = cleared.items[0]?.clearedAt ?? null;
  return readinessOf(pipelineId, {
    nowMs: ctx.clock.now(),
    pipeline,
    limits,
    slotsHeld,
    leases,
    signals: currentLook(ctx, pipelineId)?.view.signals ?? null,
    liveEventsPerSecond: seen === null ? null : liveNeed(seen),
    stream: streamOf(ctx, pipelineId, seen),
    drills: drills.items,
    ...(pipeline.external === null ? {} : { external: true }),
    sources: sourceFacts,
    priceBook,
    queuedReconnects,
    proofs,
    workers: presenceOf(ctx),
    raisedAlerts: raised.items,
    moreAlerts: raised.nextCursor !== null,
    alertClearedAt: clearedAt === null ? null : Date.parse(clearedAt),
    recorded,
    tokenEnds,
  });
}

function streamOf(
  ctx: ControlContext,
  pipelineId: string,
  seen: ReturnType<ControlContext['telemetry']['observation']>,
): ReadinessFacts['stream'] {
  const report = seen === null ? undefined : usedByReplay(seen);
  const shown = ctx.telemetry
    .latest(pipelineId)
    ?.streams.find(({ role, name }) => role !== 'live' && name === report?.stream);
  return report === undefined || shown === undefined ? null : { ...shown, keeps: report.retention ?? null };
}

async function readUnfinished(database: Database, pipelineId: string) {
  const rows = await database
    .select({
      backfillId: backfills.id,
      eventsPerSecond: backfills.eventsPerSecondLimit,
      share: backfills.shareLimit,
      queuedReconnect: sql<boolean>`${backfills.origin} = 'reconnect' and ${backfills.state} = 'queued'`,
    })
    .from(backfills)
    .where(and(eq(backfills.pipelineId, pipelineId), notInArray(backfills.state, [...finalStates])))
    .orderBy(desc(backfills.ordinal));
  return { limits: rows, queuedReconnects: rows.filter(({ queuedReconnect }) => queuedReconnect).length };
}

async function countSlots(database: Database, pipelineId: string): Promise<number> {
  const [row] = await database
    .select({ held: count() })
    .from(lanes)
    .innerJoin(backfills, and(eq(backfills.id, lanes.backfillId), eq(backfills.pipelineId, pipelineId)))
    .where(eq(lanes.slotHeld, true));
  return row?.held ?? 0;
}

async function countLeases(database: Database, pipelineId: string): Promise<number> {
  const [row] = await database
    .select({ leased: count() })
    .from(runs)
    .innerJoin(backfills, and(eq(backfills.id, runs.backfillId), eq(backfills.pipelineId, pipelineId)))
    .where(eq(runs.state, 'leased'));
  return row?.leased ?? 0;
}

/** The counts themselves are large, and in memory already. */
async function readSources(ctx: ControlContext, pipelineId: string): Promise<SourceFact[]> {
  const rows = await ctx.database
    .select({
      id: sources.id,
      state: sources.state,
      failure: sources.failure,
      from: sources.rangeFrom,
      to: sources.rangeTo,
      countedAt: sources.countedAt,
      estimated: sources.countsEstimated,
    })
    .from(sources)
    .where(eq(sources.pipelineId, pipelineId))
    .orderBy(sources.id);
  return rows.map(({ id, state, failure, from, to, countedAt, estimated }) => ({
    id,
    failure: state === 'failed' ? (failure?.detail ?? 'it has failed, and did not say why') : null,
    counted:
      countedAt === null
        ? null
        : {
            atMs: countedAt.getTime(),
            exact: !estimated,
            events: from === null || to === null ? null : ctx.statistics.eventRange(id, { from, to }),
          },
  }));
}

async function readProofs(database: Database, pipelineId: string): Promise<ReadinessFacts['proofs']> {
  const rows = await database
    .select({
      backfillId: backfills.id,
      state: backfills.verificationState,
      bucketsChecked: backfills.bucketsChecked,
      endedAt: backfills.endedAt,
    })
    .from(backfills)
    .where(
      and(
        eq(backfills.pipelineId, pipelineId),
        inArray(backfills.verificationState, ['matched', 'mismatched', 'unavailable']),
        isNotNull(backfills.endedAt),
      ),
    )
    .orderBy(desc(backfills.endedAt))
    .limit(PROOFS);
  return rows.map(({ endedAt, state, ...row }) => ({
    ...row,
    state: state as ReadinessFacts['proofs'][number]['state'],
    endedAtMs: (endedAt as Date).getTime(),
  }));
}

/** One look into the index for either end, whatever has been recorded. */
async function readRecorded(database: Database, pipelineId: string): Promise<ReadinessFacts['recorded']> {
  const ends = sql`
    select (select min(t.at) from ${telemetry} t where t.pipeline_id = ${pipelineId} and t.step_seconds = s.step) as first,
      (select max(t.at) from ${telemetry} t where t.pipeline_id = ${pipelineId} and t.step_seconds = s.step) as last
    from (values (1), (10), (60)) s(step)`;
  const { rows } = await database.execute<{ from: number | null; to: number | null }>(
    sql`select extract(epoch from min(first))::float8 * 1000 as "from", extract(epoch from max(last))::float8 * 1000 as "to" from (${ends}) e`,
  );
  const { from = null, to = null } = rows[0] ?? {};
  return from === null || to === null ? null : { from, to };
}

async function readTokenEnds(database: Database): Promise<number[]> {
  const rows = await database
    .select({ expiresAt: tokens.expiresAt })
    .from(tokens)
    .where(and(isNull(tokens.revokedAt), gt(tokens.expiresAt, sql`now()`)));
  return rows.map(({ expiresAt }) => expiresAt.getTime());
}
