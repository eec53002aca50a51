/**
 * Starting a backfill: checks, a plan, one row and one row per source. Nothing here grows with the number of subwindows: a million
 * and a half are accepted as quickly as ten.
 */
import { randomUUID } from 'node:crypto';
import type { Backfill, StartBackfill } from '@spillway/shared/api/backfill';
import { overlapsOf } from '@spillway/shared/quote/overlaps';
import { sql } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import { refuseBudget } from '../cost/budget-limit.ts';
import { currentPriceBook } from '../cost/price-books.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { backfills, lanes } from '../database/schema.ts';
import { estimateStart } from '../quotes/estimate-start.ts';
import { findQuote, limitsAsQuoted } from '../quotes/hold-to.ts';
import { readUnfinished } from '../quotes/unfinished.ts';
import { afterCommand } from './command.ts';
import { expectedEvents } from './expected-events.ts';
import { readBackfill } from './queries.ts';
import { limitsFor, type PlannedRequest, planRequest } from './request.ts';

/** `reconnect`: it fills what an outage left out, and is not started before that long from now. */
export async function startBackfill(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  body: StartBackfill,
  reconnect: { readonly afterMs: number } | null = null,
): Promise<Backfill> {
  const { tx } = work;
  const planned = await planRequest(tx, body);
  const { plan, requested } = planned;
  const id = `bf_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  const quote = body.quoteId === undefined ? null : await findQuote(tx, body.quoteId);
  const limits = limitsFor(quote === null ? body.limits : limitsAsQuoted(quote, body.limits), plan);
  const priceBook = await currentPriceBook(tx, body.pipelineId);
  refuseBudget(limits.budget, priceBook, '/limits/budget');
  const estimate = await estimateStart(ctx, tx, { planned, limits, quote });
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
    isolated: planned.isolated,
    reason: body.reason ?? null,
    origin: reconnect !== null ? 'reconnect' : actor.origin === 'operator' ? 'operator' : 'automation',
    notBefore: reconnect === null ? null : sql`now() + ${reconnect.afterMs} * interval '1 millisecond'`,
    warnings: [...plan.warnings, ...(await overlapWarnings(tx, planned))],
    estimate,
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
    after: {
      pipelineId: body.pipelineId,
      window,
      sourceIds,
      subwindow,
      limits,
      ...(backfill.isolated ? { isolated: true } : {}),
      ...(quote === null ? {} : { quoteId: quote.id }),
    },
  });
  afterCommand(ctx, work, id);
  return backfill;
}

/** More than that are told enough. */
const OVERLAPS_MAX = 5;

async function overlapWarnings(
  tx: Transaction,
  planned: PlannedRequest,
): Promise<{ code: string; detail: string }[]> {
  const { lanes, window } = planned.plan;
  const wanted = { sourceIds: lanes.map(({ sourceId }) => sourceId), ...window };
  const overlaps = overlapsOf(wanted, await readUnfinished(tx, planned, null));
  return overlaps.slice(-OVERLAPS_MAX).map(({ backfillId, sourceIds }) => ({
    code: 'overlaps_backfill',
    detail: `Its window overlaps that of ${backfillId}, which was not finished when this one began: events of both (${sourceIds.join(', ')}) are applied once.`,
  }));
}
