/** All that a quote rests on, read at one moment: the control database, the counts and the last ticks. Never the source. */
import type { Limits } from '@spillway/shared/api/backfill';
import type { PriceBook } from '@spillway/shared/api/cost';
import type { SafeRate } from '@spillway/shared/api/governor';
import type { FinishedRun } from '@spillway/shared/cost/coefficients';
import { eventsBeyond, type LaneEvents } from '@spillway/shared/quote/event-range';
import { and, asc, desc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { PlannedRequest } from '../backfill/request.ts';
import type { ControlContext } from '../context.ts';
import { finishedRunsOf } from '../cost/finished-runs.ts';
import { currentPriceBook } from '../cost/price-books.ts';
import type { Transaction } from '../database/database.ts';
import { backfills, lanes, runs, sources } from '../database/schema.ts';
import { currentLook } from '../governor/looks.ts';
import type { PipelineObservation } from '../telemetry/observation.ts';
import { replayWorkers } from '../workers/membership.ts';
import { readUnfinished, type UnfinishedBackfill } from './unfinished.ts';

export interface QuoteFacts {
  /** Epoch ms. */
  readonly nowMs: number;
  readonly planned: PlannedRequest;
  readonly limits: Limits;
  readonly lanes: readonly LaneEvents[];
  /** Null: nothing has been reported of the pipeline. */
  readonly seen: PipelineObservation | null;
  /** The governor's; null: it has not looked in the last seconds. */
  readonly safeRate: SafeRate | null;
  /** At work: all of them, and those that are isolated. */
  readonly replayWorkers: { readonly all: number; readonly isolated: number };
  readonly priceBook: PriceBook | null;
  readonly finishedRuns: readonly FinishedRun[];
  readonly unfinished: readonly UnfinishedBackfill[];
}

/** `except`: a backfill that is planned anew does not overlap itself. */
export async function readFacts(
  ctx: ControlContext,
  tx: Transaction,
  planned: PlannedRequest,
  limits: Limits,
  except: string | null = null,
): Promise<QuoteFacts> {
  const { id } = planned.pipeline;
  return {
    nowMs: ctx.clock.now(),
    planned,
    limits,
    lanes: await laneEvents(ctx, tx, planned),
    seen: ctx.telemetry.observation(id),
    safeRate: currentLook(ctx, id)?.view.safeRate ?? null,
    replayWorkers: replayWorkers(
      ctx,
      planned.pipeline.external === null ? null : planned.pipeline.replayStream,
    ),
    priceBook: await currentPriceBook(tx, id),
    finishedRuns: await finishedRunsOf(ctx, tx, id),
    unfinished: await readUnfinished(tx, planned, except),
  };
}

async function laneEvents(
  ctx: Pick<ControlContext, 'statistics'>,
  tx: Transaction,
  { plan }: PlannedRequest,
): Promise<LaneEvents[]> {
  const counted = plan.lanes.map((lane) => ({
    ...lane,
    events: ctx.statistics.eventRange(lane.sourceId, { from: lane.laneFrom, to: lane.laneTo }),
  }));
  const uncounted = counted.filter(({ events }) => events === null).map(({ sourceId }) => sourceId);
  const proved = uncounted.length === 0 ? [] : await readProved(tx, uncounted);
  const failures = await readFailures(
    tx,
    plan.lanes.map(({ sourceId }) => sourceId),
  );
  return counted.map(({ sourceId, laneFrom, laneTo, events }) => {
    const lane = { sourceId, failure: failures.get(sourceId) ?? null };
    if (events !== null) {
      const { estimated = false, ...range } = events;
      return { ...lane, basis: estimated ? 'estimated' : 'counted', events: range };
    }
    const known = proved.find((one) => one.sourceId === sourceId);
    if (known === undefined) return { ...lane, basis: 'unknown', events: null };
    const window = { from: laneFrom, to: laneTo };
    return { ...lane, basis: 'estimated', events: eventsBeyond(known.events, window, known) };
  });
}

async function readFailures(
  tx: Transaction,
  sourceIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx
    .select({ id: sources.id, failure: sources.failure })
    .from(sources)
    .where(and(inArray(sources.id, [...sourceIds]), eq(sources.state, 'failed')));
  return new Map(
    rows.flatMap(({ id, failure }) => (failure === null ? [] : [[id, failure.detail] as const])),
  );
}

/** A source without counts whose history was replayed before: the proof of the longest such lane read so many events of it. */
function readProved(tx: Transaction, sourceIds: readonly string[]) {
  return tx
    .selectDistinctOn([lanes.sourceId], {
      sourceId: lanes.sourceId,
      from: lanes.laneFrom,
      to: lanes.laneTo,
      events: runs.eventsChecked,
    })
    .from(lanes)
    .innerJoin(backfills, and(eq(backfills.id, lanes.backfillId), eq(backfills.state, 'completed')))
    .innerJoin(
      runs,
      and(
        eq(runs.backfillId, lanes.backfillId),
        eq(runs.sourceId, lanes.sourceId),
        eq(runs.kind, 'verify'),
        eq(runs.state, 'done'),
      ),
    )
    .where(and(inArray(lanes.sourceId, [...sourceIds]), gt(runs.eventsChecked, 0)))
    .orderBy(asc(lanes.sourceId), desc(sql`${lanes.laneTo} - ${lanes.laneFrom}`));
}
