import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { asc } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';
import { pipelines, sources } from '../database/schema.ts';

/** The part of the pipelines that workers have to know. */
export async function workerPipelines(
  ctx: Pick<ControlContext, 'database'>,
  database: Database | Transaction = ctx.database,
): Promise<WorkerPipeline[]> {
  const rows = await database.select().from(pipelines).orderBy(asc(pipelines.id));
  const fed = await database
    .select({
      pipelineId: sources.pipelineId,
      sourceId: sources.id,
      connector: sources.connector,
      config: sources.config,
      fingerprint: sources.fingerprint,
      state: sources.state,
    })
    .from(sources)
    .orderBy(asc(sources.id));
  return rows.map((row) => ({
    pipelineId: row.id,
    bucketMs: row.bucketMs,
    liveStream: row.liveStream,
    replayStream: row.replayStream,
    highWaterMark: row.highWaterMark,
    // A source that failed is counted again although its content is the same: that is how it comes back.
    sources: fed
      .filter(({ pipelineId }) => pipelineId === row.id)
      .map(({ sourceId, connector, config, fingerprint, state }) => ({
        sourceId,
        connector,
        config,
        fingerprint: state === 'failed' ? null : fingerprint,
      })),
    liveEventsPerSecond: row.liveEventsPerSecond,
    calibrate: row.capacityOrigin === 'unknown',
  }));
}
