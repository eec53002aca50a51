/**
 * Estimates of what could not be estimated when it started: its sources had not been counted, or the capacity not been measured. They are made
 * when that is known, are of the whole backfill like any other, and say that they are late.
 */
import { estimateOf } from '@spillway/shared/quote/estimate';
import { reckon } from '@spillway/shared/quote/quote';
import { eq } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import type { PlannedRequest } from '../backfill/request.ts';
import { limitsOf } from '../backfill/resource.ts';
import { type BackfillRow, lockBackfill } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { priceBooksOf } from '../cost/price-books.ts';
import { type Database, type Transaction, type UnitOfWork, unitOfWork } from '../database/database.ts';
import { backfills, lanes } from '../database/schema.ts';
import type { Governed } from '../governor/governed.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { quoteInputsOf } from './assemble.ts';
import { readFacts } from './facts.ts';

/** One that cannot be made yet is tried again so much later. */
const AGAIN_MS = 5_000;
const tried = new WeakMap<Database, Map<string, number>>();

export async function estimateLate(ctx: ControlContext, governed: readonly Governed[]): Promise<void> {
  const before = tried.get(ctx.database) ?? new Map<string, number>();
  const now = ctx.clock.monotonic();
  const due = governed.filter(
    ({ id, lacksEstimate, capacityEventsPerSecond }) =>
      lacksEstimate &&
      capacityEventsPerSecond !== null &&
      now - (before.get(id) ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS,
  );
  // Those that have ended are not among the governed any more.
  const kept = governed.flatMap(({ id }) =>
    before.has(id) ? [[id, before.get(id) as number] as const] : [],
  );
  tried.set(ctx.database, new Map([...kept, ...due.map(({ id }) => [id, now] as const)]));
  for (const { id } of due) await unitOfWork(ctx.database, (work) => estimateOne(ctx, work, id));
}

async function estimateOne(ctx: ControlContext, work: UnitOfWork, id: string): Promise<void> {
  const { tx } = work;
  const row = await lockBackfill(tx, id);
  if (row === null || row.endedAt !== null || row.estimate?.cost) return;
  const facts = await readFacts(ctx, tx, await plannedOf(tx, row), limitsOf(row), id);
  const books = await priceBooksOf(tx, row.pipelineId);
  const priceBook = books.find(({ version }) => version === row.priceBookVersion) ?? null;
  const made = { quoteId: null, madeAt: new Date(facts.nowMs).toISOString(), late: true };
  const estimate = estimateOf(reckon(quoteInputsOf({ ...facts, priceBook }, null)), made);
  if (estimate.cost === null && estimate.missing === row.estimate?.missing) return;
  await tx.update(backfills).set({ estimate }).where(eq(backfills.id, id));
  work.afterCommit(() => announce(ctx, id));
}

/** As it was planned: sources may hold more by now. */
async function plannedOf(tx: Transaction, row: BackfillRow): Promise<PlannedRequest> {
  const own = await tx.select().from(lanes).where(eq(lanes.backfillId, row.id)).orderBy(lanes.sourceId);
  return {
    pipeline: await requirePipeline(tx, row.pipelineId),
    sourcesNamed: true,
    isolated: row.isolated,
    sources: [],
    requested: { from: row.requestedFrom, to: row.requestedTo },
    plan: {
      subwindowMs: row.subwindowMs,
      window: { from: row.windowFrom, to: row.windowTo },
      lanes: own.map(({ sourceId, laneFrom, laneTo, subwindows }) => ({
        sourceId,
        laneFrom,
        laneTo,
        subwindows,
      })),
      subwindows: row.subwindowsTotal,
      warnings: [],
    },
  };
}
