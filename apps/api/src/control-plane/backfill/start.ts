/**
 * Starting a backfill: checks, a plan, one row and one row per source. Nothing here grows with the number of subwindows: a million
 * and a half are accepted as quickly as ten.
 */
import { randomUUID } from 'node:crypto';
import type { Backfill, Limits, StartBackfill } from '@spillway/shared/api/backfill';
import { type Plan, type PlanSource, planBackfill } from '@spillway/shared/backfill/plan';
import { durationMs } from '@spillway/shared/time/duration';
import { and, eq, gt, lt, notInArray, sql } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import { refuseBudget } from '../cost/budget-limit.ts';
import { currentPriceBook } from '../cost/price-books.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { backfills, lanes, pipelines, sources } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { afterCommand } from './command.ts';
import { expectedEvents } from './expected-events.ts';
import { readBackfill } from './queries.ts';

const MAX_CONCURRENCY = 16;

/** `reconnect`: it fills what an outage left out, and is not started before that long from now. */
export async function startBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  body: StartBackfill,
  reconnect: { readonly afterMs: number } | null = null,
): Promise<Backfill> {
  const { tx } = work;
  refuseUnavailable(body);
  const requested = { from: Date.parse(body.window.from), to: Date.parse(body.window.to) };
  const plan = planBackfill({
    window: requested,
    // One too long to be counted in milliseconds is longer than any window.
    subwindowMs:
      body.subwindow === undefined ? null : (durationMs(body.subwindow) ?? Number.POSITIVE_INFINITY),
    sources: await sourcesFor(tx, body),
    sourcesNamed: body.sourceIds !== undefined,
  });
  if ('code' in plan) throw new ProblemError(plan.code, plan.detail, { pointer: plan.pointer });

  const id = `bf_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  const limits = limitsOf(body.limits, plan);
  const priceBook = await currentPriceBook(tx, body.pipelineId);
  refuseBudget(limits.budget, priceBook, '/limits/budget');
  await tx.insert(backfills).values({
    id,
    pipelineId: body.pipelineId,
    windowFrom: plan.window.from,
    windowTo: plan.window.to,
    requestedFrom: requested.from,
    requestedTo: requested.to,
    subwindowMs: plan.subwindowMs,
    mode: 'fill',
    priority: body.priority ?? 0,
    eventsPerSecondLimit: limits.eventsPerSecond,
    shareLimit: limits.share,
    concurrency: limits.concurrency,
    budgetAmount: limits.budget?.amount ?? null,
    budgetCurrency: limits.budget?.currency ?? null,
    priceBookVersion: priceBook?.version ?? null,
    reason: body.reason ?? null,
    origin: reconnect !== null ? 'reconnect' : actor.origin === 'operator' ? 'operator' : 'automation',
    notBefore: reconnect === null ? null : sql`now() + ${reconnect.afterMs} * interval '1 millisecond'`,
    warnings: [...plan.warnings, ...(await overlapWarnings(tx, body.pipelineId, plan.window))],
    eventsExpected: expectedEvents(ctx, plan.lanes),
    subwindowsTotal: plan.subwindows,
    createdBy: actor.name,
  });
  await tx.insert(lanes).values(plan.lanes.map((lane) => ({ backfillId: id, ...lane })));
  const backfill = await readBackfill(ctx, actor, id, tx);
  const { window, sourceIds, subwindow } = backfill;
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'backfill.start',
    target: id,
    reason: body.reason ?? null,
    before: null,
    after: { pipelineId: body.pipelineId, window, sourceIds, subwindow, limits },
  });
  afterCommand(ctx, work, id);
  return backfill;
}

function refuseUnavailable(body: StartBackfill): void {
  if (body.mode === 'rebuild')
    throw new ProblemError('mode_unavailable', 'Only fill is available: rebuild is not built yet.', {
      pointer: '/mode',
    });
  if (body.quoteId !== undefined)
    throw new ProblemError('not_found', `There is no quote ${body.quoteId}.`, { pointer: '/quoteId' });
}

/** Errors: `unknown_pipeline`, `unknown_source`, `source_not_in_pipeline`. */
async function sourcesFor(tx: Transaction, body: StartBackfill): Promise<PlanSource[]> {
  const [pipeline] = await tx
    .select({ id: pipelines.id })
    .from(pipelines)
    .where(eq(pipelines.id, body.pipelineId));
  if (pipeline === undefined)
    throw new ProblemError('unknown_pipeline', `There is no pipeline ${body.pipelineId}.`, {
      pointer: '/pipelineId',
    });
  const known = await tx
    .select({
      id: sources.id,
      pipelineId: sources.pipelineId,
      rangeFrom: sources.rangeFrom,
      rangeTo: sources.rangeTo,
    })
    .from(sources)
    .orderBy(sources.id);
  const chosen =
    body.sourceIds ??
    known.filter((source) => source.pipelineId === body.pipelineId).map((source) => source.id);
  if (chosen.length === 0)
    throw new ProblemError('unknown_source', `Pipeline ${body.pipelineId} has no source.`, {
      pointer: '/pipelineId',
    });
  return chosen.map((sourceId, index) => {
    const pointer = `/sourceIds/${index}`;
    const source = known.find((candidate) => candidate.id === sourceId);
    if (source === undefined)
      throw new ProblemError('unknown_source', `There is no source ${sourceId}.`, { pointer });
    if (source.pipelineId !== body.pipelineId)
      throw new ProblemError(
        'source_not_in_pipeline',
        `Source ${sourceId} feeds pipeline ${source.pipelineId}.`,
        { pointer },
      );
    const { rangeFrom: from, rangeTo: to } = source;
    return { sourceId, range: from === null || to === null ? null : { from, to } };
  });
}

/** Concurrency by default: a run of every source at a time, at least two so that one is read while the next is claimed. */
function limitsOf(limits: StartBackfill['limits'], plan: Plan): Limits {
  return {
    eventsPerSecond: limits?.eventsPerSecond ?? null,
    share: limits?.share ?? null,
    concurrency: limits?.concurrency ?? Math.min(MAX_CONCURRENCY, Math.max(2, plan.lanes.length)),
    budget: limits?.budget ?? null,
  };
}

async function overlapWarnings(
  tx: Transaction,
  pipelineId: string,
  window: { from: number; to: number },
): Promise<{ code: string; detail: string }[]> {
  const others = await tx
    .select({ id: backfills.id })
    .from(backfills)
    .where(
      and(
        eq(backfills.pipelineId, pipelineId),
        lt(backfills.windowFrom, window.to),
        gt(backfills.windowTo, window.from),
        notInArray(backfills.state, ['completed', 'cancelled']),
      ),
    )
    .limit(5);
  return others.map(({ id }) => ({
    code: 'overlaps_backfill',
    detail: `Its window overlaps that of ${id}, which is not finished: events of both are applied once.`,
  }));
}
