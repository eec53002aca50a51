import type { Drill } from '@spillway/shared/api/governor';
import { and, desc, eq, lt } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';
import { drills } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { type DrillRow, toDrill } from './resource.ts';

const DEFAULT_LIMIT = 50;

/** Newest first. Errors: `unknown_pipeline`, `invalid_cursor`. */
export async function listDrills(
  ctx: Pick<ControlContext, 'database'>,
  pipelineId: string,
  query: { readonly limit?: number; readonly cursor?: string },
): Promise<{ items: Drill[]; nextCursor: string | null }> {
  await requirePipeline(ctx.database, pipelineId);
  const limit = query.limit ?? DEFAULT_LIMIT;
  const before = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number'])[0];
  const rows = await ctx.database
    .select()
    .from(drills)
    .where(and(eq(drills.pipelineId, pipelineId), before === null ? undefined : lt(drills.ordinal, before)))
    .orderBy(desc(drills.ordinal))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(toDrill),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.ordinal]) : null,
  };
}

/** Errors: `unknown_pipeline`, `not_found`. */
export async function readDrill(
  ctx: Pick<ControlContext, 'database'>,
  pipelineId: string,
  id: string,
): Promise<Drill> {
  return toDrill(await requireDrill(ctx.database, pipelineId, id));
}

/** Errors: `unknown_pipeline`, `not_found`. */
export async function requireDrill(
  database: Database | Transaction,
  pipelineId: string,
  id: string,
): Promise<DrillRow> {
  await requirePipeline(database, pipelineId);
  const [row] = await database
    .select()
    .from(drills)
    .where(and(eq(drills.pipelineId, pipelineId), eq(drills.id, id)));
  if (row === undefined) throw new ProblemError('not_found', `There is no drill ${id}`);
  return row;
}
