import type { WorkerPipeline, WorkerRole } from '@spillway/shared/api/worker-protocol';
import { finalStates } from '@spillway/shared/backfill/state-machine';
import { sizingCapacity } from '@spillway/shared/governor/capacity';
import { asc, desc, eq, type InferSelectModel, isNull, notInArray } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';
import { backfills, gaps, sources } from '../database/schema.ts';
import { presentPipelines } from './rows.ts';

/** Of those, what a role has to know: streams of the users' own, and what lets somebody in there, are the readers' affair alone. */
export function knownTo(role: WorkerRole, pipelines: readonly WorkerPipeline[]): WorkerPipeline[] {
  return pipelines.filter(({ external }) => role === 'replay' || external === undefined);
}

/** As many as an applier tells of. */
const UNFINISHED_MAX = 64;

/** The part of the pipelines that workers have to know. */
export async function workerPipelines(
  ctx: Pick<ControlContext, 'database'>,
  database: Database | Transaction = ctx.database,
): Promise<WorkerPipeline[]> {
  const rows = await presentPipelines(database);
  const fed = await database
    .select({
      pipelineId: sources.pipelineId,
      sourceId: sources.id,
      connector: sources.connector,
      config: sources.config,
      fingerprint: sources.fingerprint,
      countsEstimated: sources.countsEstimated,
      rowsQuarantined: sources.rowsQuarantined,
      state: sources.state,
      disconnectedAt: sources.disconnectedAt,
    })
    .from(sources)
    .orderBy(asc(sources.id));
  const outages = await database
    .select({
      pipelineId: sources.pipelineId,
      outageId: gaps.id,
      sourceId: gaps.sourceId,
      reconnectedAt: gaps.reconnectedAt,
    })
    .from(gaps)
    .innerJoin(sources, eq(sources.id, gaps.sourceId))
    .where(isNull(gaps.gapTo))
    .orderBy(asc(gaps.disconnectedAt));
  const unfinished = await database
    .select({ id: backfills.id, pipelineId: backfills.pipelineId })
    .from(backfills)
    .where(notInArray(backfills.state, [...finalStates]))
    .orderBy(desc(backfills.ordinal))
    .limit(UNFINISHED_MAX);
  return rows.map((row) => ({
    pipelineId: row.id,
    bucketMs: row.bucketMs,
    liveStream: row.liveStream,
    replayStream: row.replayStream,
    route: row.route as WorkerPipeline['route'],
    highWaterMark: row.highWaterMark,
    freshnessTargetMs: row.signals.liveFreshnessMsP99?.target ?? null,
    // A share of what nobody knows yet is nothing.
    floorEventsPerSecond:
      row.replayFloor * (sizingCapacity(row.capacityEventsPerSecond, row.measuredEventsPerSecond) ?? 0),
    floorShare: row.replayFloor,
    sources: fed
      .filter(({ pipelineId }) => pipelineId === row.id)
      .map(({ sourceId, connector, config, disconnectedAt, ...counted }) => ({
        sourceId,
        connector,
        config,
        fingerprint: isToBeCounted(counted) ? null : counted.fingerprint,
        connected: disconnectedAt === null,
      })),
    outages: outages
      .filter(({ pipelineId }) => pipelineId === row.id)
      .map(({ outageId, sourceId, reconnectedAt }) => ({
        outageId,
        sourceId,
        ended: reconnectedAt !== null,
      })),
    liveEventsPerSecond: row.liveEventsPerSecond,
    // Consumers of the user's own cannot be calibrated by us. A capacity set by hand is measured beside it: what nobody watches is sized by that.
    calibrate:
      row.external === null &&
      (row.capacityOrigin === 'unknown' ||
        (row.capacityOrigin === 'set_by_hand' && row.measuredEventsPerSecond === null)),
    unfinished: unfinished.filter(({ pipelineId }) => pipelineId === row.id).map(({ id }) => id),
    ...(row.external === null ? {} : { external: row.external }),
  }));
}

/** Although its content is the same: one that failed, since that is how it comes back, and one that was counted before rows that are no events were. */
function isToBeCounted({
  state,
  countsEstimated,
  rowsQuarantined,
}: Pick<InferSelectModel<typeof sources>, 'state' | 'countsEstimated' | 'rowsQuarantined'>): boolean {
  return state === 'failed' || (rowsQuarantined === null && !countsEstimated);
}
