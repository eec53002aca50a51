import type { BucketPage, BucketQuery, Coverage, CoverageQuery, Source } from '@spillway/shared/api/pipeline';
import { isFinal } from '@spillway/shared/finality/is-final';
import { durationMs, formatDuration } from '@spillway/shared/time/duration';
import { asc, eq, sql } from 'drizzle-orm';
import type { Static } from 'typebox';
import type { Actor, ControlContext } from '../context.ts';
import { sources } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { type PipelineRow, requireOwnStore, requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { coverageOf } from './coverage.ts';
import { sourceResource, unknownSource } from './resource.ts';

const MOST_STEPS = 5_000;
const LONGEST_STEP_MS = 366 * 86_400_000;
const DEFAULT_LIMIT = 50;

export async function listSources(
  ctx: ControlContext,
  actor: Actor,
  query: { readonly limit?: number; readonly cursor?: string },
): Promise<{ items: Source[]; nextCursor: string | null }> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string']);
  const rows = await ctx.database
    .select()
    .from(sources)
    .where(
      after === null ? undefined : sql`(${sources.pipelineId}, ${sources.id}) > (${after[0]}, ${after[1]})`,
    )
    .orderBy(asc(sources.pipelineId), asc(sources.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => sourceResource(ctx, row, actor)),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.pipelineId, last.id]) : null,
  };
}

export async function readSource(ctx: ControlContext, actor: Actor, id: string): Promise<Source> {
  const [row] = await ctx.database.select().from(sources).where(eq(sources.id, id));
  if (row === undefined) throw unknownSource(id);
  return sourceResource(ctx, row, actor);
}

/** The gap map: what the sources hold against what the store holds, step by step. */
export async function readCoverage(
  ctx: ControlContext,
  pipelineId: string,
  query: Static<typeof CoverageQuery>,
): Promise<Coverage> {
  const pipeline = await requirePipeline(ctx.database, pipelineId);
  const range = rangeOf(query);
  const stepMs = durationMs(query.step) ?? 0;
  if (stepMs < pipeline.bucketMs || stepMs % pipeline.bucketMs !== 0) {
    throw new ProblemError(
      'invalid_request',
      `The step must be a multiple of the bucket width, ${formatDuration(pipeline.bucketMs)}.`,
      { pointer: 'step' },
    );
  }
  if (stepMs > LONGEST_STEP_MS)
    throw new ProblemError('invalid_request', 'A step is at most 366 days.', { pointer: 'step' });
  const from = Math.floor(range.from / stepMs) * stepMs;
  const steps = Math.ceil((range.to - from) / stepMs);
  if (steps > MOST_STEPS)
    throw new ProblemError(
      'invalid_request',
      `At most ${MOST_STEPS} steps an answer, this would be ${steps}.`,
      { pointer: 'step' },
    );

  const asked = await sourcesAsked(ctx, pipelineId, query.source);
  const covered = { from, to: from + steps * stepMs };
  const counted = asked.filter((id) => ctx.statistics.expectedEvents(id, covered) !== null);
  const stored = await storedBySteps(ctx, pipeline, {
    sourceIds: counted.length === 0 ? asked : counted,
    range: covered,
    stepMs,
  });
  const items = Array.from({ length: steps }, (_, step) => {
    const start = from + step * stepMs;
    return {
      start: new Date(start).toISOString(),
      expected: expected(ctx, counted, { from: start, to: start + stepMs }),
      stored: stored === null ? null : (stored.get(start) ?? 0),
    };
  });
  const uncounted = asked.filter((id) => !counted.includes(id));
  return { step: query.step, sources: { asked: asked.length, uncounted }, items };
}

/** Null: the store is not ours. */
async function storedBySteps(
  ctx: ControlContext,
  { external }: PipelineRow,
  asked: Parameters<ControlContext['store']['coverage']>[0],
): Promise<ReadonlyMap<number, number> | null> {
  if (external !== null) return null;
  const rows = await ask(() => ctx.store.coverage(asked));
  return new Map(rows.map((row) => [row.start, row.stored]));
}

function expected(
  ctx: ControlContext,
  sourceIds: readonly string[],
  range: { from: number; to: number },
): number | null {
  if (sourceIds.length === 0) return null;
  let sum = 0;
  for (const id of sourceIds) {
    const events = ctx.statistics.expectedEvents(id, range);
    if (events === null) return null;
    sum += events;
  }
  return sum;
}

export async function readBuckets(
  ctx: ControlContext,
  pipelineId: string,
  query: Static<typeof BucketQuery>,
): Promise<Static<typeof BucketPage>> {
  const pipeline = await requirePipeline(ctx.database, pipelineId);
  requireOwnStore(pipeline, 'bucket');
  const range = rangeOf(query);
  const sourceIds = await sourcesAsked(
    ctx,
    pipelineId,
    query.source === undefined ? undefined : [query.source],
  );
  const limit = query.limit ?? DEFAULT_LIMIT;
  const after = query.cursor === undefined ? null : placeOf(query.cursor);
  const rows = await ask(() =>
    ctx.store.buckets({ sourceIds, range, key: query.key ?? null, limit: limit + 1, after }),
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const coverage = await coverageOf(ctx, pipeline, {
    from: page[0]?.start ?? range.from,
    to: (last?.start ?? range.from) + pipeline.bucketMs,
  });
  return {
    items: page.map((bucket) => ({
      ...bucket,
      start: new Date(bucket.start).toISOString(),
      final: isFinal({ from: bucket.start, to: bucket.start + pipeline.bucketMs }, coverage(bucket.sourceId)),
    })),
    nextCursor:
      rows.length > limit && last !== undefined ? encodeCursor([last.start, last.key, last.sourceId]) : null,
  };
}

function placeOf(cursor: string): { start: number; key: string; sourceId: string } {
  const [start, key, sourceId] = decodeCursor(cursor, ['number', 'string', 'string']);
  return { start, key, sourceId };
}

async function sourcesAsked(
  ctx: ControlContext,
  pipelineId: string,
  asked: readonly string[] | undefined,
): Promise<readonly string[]> {
  const rows = await ctx.database
    .select({ id: sources.id })
    .from(sources)
    .where(eq(sources.pipelineId, pipelineId));
  const ids = rows.map(({ id }) => id);
  if (asked === undefined) return ids;
  const unknown = asked.find((id) => !ids.includes(id));
  if (unknown !== undefined)
    throw new ProblemError('unknown_source', `Pipeline ${pipelineId} has no source ${unknown}.`, {
      pointer: 'source',
    });
  return asked;
}

function rangeOf(query: { from: string; to: string }): { from: number; to: number } {
  const range = { from: Date.parse(query.from), to: Date.parse(query.to) };
  if (range.from >= range.to)
    throw new ProblemError('invalid_window', 'The range ends before it begins.', { pointer: 'to' });
  return range;
}

/** The store may be restarting; the control plane is not. */
async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    throw new ProblemError('unavailable', 'The store does not answer.', { cause });
  }
}
