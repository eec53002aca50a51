import type { Pipeline } from '@spillway/shared/api/pipeline';
import { asc, eq } from 'drizzle-orm';
import type { Actor, ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';
import { pipelines, sources } from '../database/schema.ts';
import { liveWatermarks, lowest } from '../sources/watermarks.ts';
import { pipelineResource } from './resource.ts';
import { type PipelineRow, requirePipeline } from './rows.ts';

export async function listPipelines(
  ctx: ControlContext,
  actor: Actor,
): Promise<{ items: Pipeline[]; nextCursor: null }> {
  const rows = await ctx.database.select().from(pipelines).orderBy(asc(pipelines.id));
  return {
    items: await Promise.all(rows.map((row) => describe(ctx, ctx.database, row, actor))),
    nextCursor: null,
  };
}

export async function readPipeline(ctx: ControlContext, actor: Actor, id: string): Promise<Pipeline> {
  return describe(ctx, ctx.database, await requirePipeline(ctx.database, id), actor);
}

/** Inside a mutation the rows are read through its transaction. */
export async function describe(
  ctx: ControlContext,
  database: Database | Transaction,
  row: PipelineRow,
  actor: Actor,
): Promise<Pipeline> {
  const own = await database
    .select({ id: sources.id, state: sources.state })
    .from(sources)
    .where(eq(sources.pipelineId, row.id))
    .orderBy(asc(sources.id));
  const connected = own.filter(({ state }) => state !== 'disconnected').map(({ id }) => id);
  return pipelineResource(
    row,
    own.map(({ id }) => id),
    lowest(liveWatermarks(ctx), connected),
    actor,
  );
}
