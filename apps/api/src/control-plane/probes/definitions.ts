import type { CreateProbe, Probe } from '@spillway/shared/api/governor';
import { and, asc, count, eq, gt, or } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import { newId } from '../access/secrets.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { pipelines, probes } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { requirePipeline, unknownPipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { complaintsAbout } from './definition-check.ts';
import { type ProbeRow, toProbe } from './resource.ts';

const MAX_PROBES = 32;

/** Errors: `unknown_pipeline`, `invalid_probe`. */
export async function createProbe(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  body: CreateProbe,
): Promise<Probe> {
  const complaints = complaintsAbout(body);
  const [first] = complaints;
  if (first !== undefined)
    throw new ProblemError('invalid_probe', `${first.pointer} ${first.detail}`, { errors: complaints });
  await refuseTooMany(work, pipelineId);
  const row: ProbeRow = {
    ...body,
    title: redactText(body.title),
    id: newId('pr'),
    pipelineId,
    query: body.query ?? null,
    pointer: body.pointer ?? null,
    suspendedWhy: null,
    createdBy: actor.name,
    createdAt: new Date(ctx.clock.now()),
  };
  await work.tx.insert(probes).values(row);
  const probe = toProbe(row);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'probe.create',
    target: row.id,
    before: null,
    after: probe,
  });
  work.afterCommit(() => ctx.probes.reload());
  return probe;
}

/** Errors: `unknown_pipeline`, `not_found`. */
export async function deleteProbe(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  id: string,
): Promise<void> {
  await requirePipeline(work.tx, pipelineId);
  const [row] = await work.tx
    .delete(probes)
    .where(and(eq(probes.id, id), eq(probes.pipelineId, pipelineId)))
    .returning();
  if (row === undefined) throw new ProblemError('not_found', `There is no probe ${id}`);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'probe.delete',
    target: id,
    before: toProbe(row),
    after: null,
  });
  work.afterCommit(() => ctx.probes.reload());
}

/** In the order in which they were made. Errors: `unknown_pipeline`. */
export async function listProbes(
  ctx: Pick<ControlContext, 'database'>,
  pipelineId: string,
  query: { readonly limit?: number; readonly cursor?: string },
): Promise<{ items: Probe[]; nextCursor: string | null }> {
  await requirePipeline(ctx.database, pipelineId);
  const limit = query.limit ?? 50;
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number', 'string']);
  const afterTime = after === null ? null : new Date(after[0]);
  const rows = await ctx.database
    .select()
    .from(probes)
    .where(
      and(
        eq(probes.pipelineId, pipelineId),
        after === null || afterTime === null
          ? undefined
          : or(
              gt(probes.createdAt, afterTime),
              and(eq(probes.createdAt, afterTime), gt(probes.id, after[1])),
            ),
      ),
    )
    .orderBy(asc(probes.createdAt), asc(probes.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(toProbe),
    nextCursor:
      rows.length > limit && last !== undefined ? encodeCursor([last.createdAt.getTime(), last.id]) : null,
  };
}

/** The pipeline's row is locked: of two that make the last one, the second is refused. */
async function refuseTooMany({ tx }: UnitOfWork, pipelineId: string): Promise<void> {
  const [pipeline] = await tx
    .select({ id: pipelines.id })
    .from(pipelines)
    .where(eq(pipelines.id, pipelineId))
    .for('update');
  if (pipeline === undefined) throw unknownPipeline(pipelineId);
  const [made] = await tx.select({ rows: count() }).from(probes).where(eq(probes.pipelineId, pipelineId));
  if ((made?.rows ?? 0) >= MAX_PROBES)
    throw new ProblemError('invalid_probe', `A pipeline takes at most ${MAX_PROBES} probes.`, {
      pointer: '',
    });
}
