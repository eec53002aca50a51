import type { Pipeline } from '@spillway/shared/api/pipeline';
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Actor, ControlContext } from '../context.ts';
import { currentPriceBook } from '../cost/price-books.ts';
import type { Database, Transaction } from '../database/database.ts';
import { pipelines, sources } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { pipelineWatermark } from '../sources/watermarks.ts';
import { pipelineResource } from './resource.ts';
import { isPresent, type PipelineRow, requirePipeline } from './rows.ts';

const DEFAULT_LIMIT = 50;

export async function listPipelines(
  ctx: ControlContext,
  actor: Actor,
  query: { readonly limit?: number; readonly cursor?: string },
): Promise<{ items: Pipeline[]; nextCursor: string | null }> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string'])[0];
  const rows = await ctx.database
    .select()
    .from(pipelines)
    .where(and(isPresent, after === null ? undefined : gt(pipelines.id, after)))
    .orderBy(asc(pipelines.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: await Promise.all(page.map((row) => describe(ctx, ctx.database, row, actor))),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.id]) : null,
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
    .select({ id: sources.id })
    .from(sources)
    .where(eq(sources.pipelineId, row.id))
    .orderBy(asc(sources.id));
  return pipelineResource(
    row,
    own.map(({ id }) => id),
    await pipelineWatermark(ctx, database, row.id),
    await currentPriceBook(database, row.id),
    actor,
  );
}
