import type { PriceBook } from '@spillway/shared/api/cost';
import type { SignalTargets } from '@spillway/shared/api/governor';
import type { PatchPipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { eq } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import { refuseCurrencyChange } from '../cost/currency-change.ts';
import { meterBook } from '../cost/meter-book.ts';
import { currentPriceBook, putPriceBook } from '../cost/price-books.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { streamNameOf } from './create.ts';
import { isSamePlace, shownExternal } from './external.ts';
import { pushSettings } from './push-settings.ts';
import { describe } from './queries.ts';
import { type PipelineRow, unknownPipeline } from './rows.ts';
import { refuseUnfinished } from './unfinished.ts';

/** Errors: `unknown_pipeline`, `stale_revision` with the pipeline as it is now, `invalid_request`, `currency_in_use`, `backfills_unfinished`. */
export async function configurePipeline(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  patch: PatchPipeline,
  ifMatchRevision: number,
): Promise<Pipeline> {
  // Locked: of two that read the same revision, one is stale. A backfill that starts meanwhile waits, for its row refers to this one.
  const [before] = await work.tx.select().from(pipelines).where(eq(pipelines.id, id)).for('update');
  if (before === undefined) throw unknownPipeline(id);
  if (before.revision !== ifMatchRevision) {
    throw new ProblemError(
      'stale_revision',
      `Pipeline ${id} is at revision ${before.revision}, not ${ifMatchRevision}.`,
      {
        pointer: 'if-match',
        current: await describe(ctx, work.tx, before, actor),
      },
    );
  }
  const change = { ...changeOf(ctx, before, patch), ...(await externalChange(work.tx, before, patch)) };
  refuseFloorAboveShare(before, patch);
  if (change.route !== undefined && change.route !== before.route)
    await refuseUnfinished(work.tx, id, 'The route', '/route');
  const bookBefore = await currentPriceBook(work.tx, id);
  const priceBook = {
    before: bookBefore,
    after: await priceBookAfter(ctx, work, actor, id, { before: bookBefore, patch }),
  };
  const [after] = await work.tx
    .update(pipelines)
    .set({ ...change, revision: before.revision + 1 })
    .where(eq(pipelines.id, id))
    .returning();
  if (after === undefined) throw unknownPipeline(id);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'pipeline.configure',
    target: id,
    before: { ...settingsOf(before), priceBook: priceBook.before },
    after: { ...settingsOf(after), priceBook: priceBook.after ?? priceBook.before },
  });
  const resource = await describe(ctx, work.tx, after, actor);
  work.afterCommit(async () => {
    if (priceBook.after !== null) await meterBook(ctx).reloadBooks(id);
    ctx.changes.publish({ event: 'pipeline', data: { pipeline: resource } });
    governorMemory(ctx).trigger();
    await pushSettings(ctx, id);
  });
  return resource;
}

/** Null: it stays. */
async function priceBookAfter(
  ctx: ControlContext,
  { tx }: UnitOfWork,
  actor: Actor,
  id: string,
  change: { readonly before: PriceBook | null; readonly patch: PatchPipeline },
): Promise<PriceBook | null> {
  const { before, patch } = change;
  if (patch.priceBook === undefined) return null;
  const [from, to] = [before?.currency, patch.priceBook.currency];
  // Whoever reads the meter from here on would read the new book with it, which may be refused yet.
  await meterBook(ctx).load(id, tx);
  const after = await putPriceBook(tx, id, patch.priceBook, actor.name);
  if (from !== undefined && from !== to) await refuseCurrencyChange(ctx, tx, id, { from, to });
  return after;
}

function changeOf(ctx: ControlContext, before: PipelineRow, patch: PatchPipeline): Partial<PipelineRow> {
  if (patch.demo !== undefined && before.liveEventsPerSecond === null) {
    throw new ProblemError('invalid_request', 'Only the demo has a live feed to set.', { pointer: '/demo' });
  }
  const {
    capacityEventsPerSecond: capacity,
    demo,
    route,
    signals,
    priceBook: _,
    external: __,
    ...rest
  } = patch;
  return {
    ...rest,
    ...(demo === undefined ? {} : { liveEventsPerSecond: demo.liveEventsPerSecond }),
    ...(capacity === undefined ? {} : capacityChange(ctx, capacity)),
    ...(route === undefined ? {} : { route: route.kind, routeDecision: route.decision }),
    // What is not named stays as it is.
    ...(signals === undefined ? {} : { signals: { ...before.signals, ...(signals as SignalTargets) } }),
  };
}

/** Errors: `invalid_request` of a pipeline that is built in, `backfills_unfinished` for another place. */
async function externalChange(
  tx: Transaction,
  { id, external: before, revision }: PipelineRow,
  { external }: PatchPipeline,
): Promise<Partial<PipelineRow>> {
  if (external === undefined) return {};
  if (before === null)
    throw new ProblemError('invalid_request', `Pipeline ${id} is part of the installation.`, {
      pointer: '/external',
    });
  if (isSamePlace(before, external)) return { external };
  // What a backfill has published on one stream is not looked for on another.
  await refuseUnfinished(tx, id, 'The stream', '/external');
  const stream = streamNameOf(id, revision + 1);
  return { external, liveStream: stream, replayStream: stream };
}

function capacityChange(ctx: ControlContext, capacity: number | null): Partial<PipelineRow> {
  if (capacity === null)
    return {
      capacityEventsPerSecond: null,
      capacityOrigin: 'unknown',
      capacityMeasuredAt: null,
      measuredEventsPerSecond: null,
    };
  return {
    capacityEventsPerSecond: capacity,
    capacityOrigin: 'set_by_hand',
    capacityMeasuredAt: new Date(ctx.clock.now()),
  };
}

/** As they stand together after the change, whichever of the two was changed. */
function refuseFloorAboveShare(before: PipelineRow, patch: PatchPipeline): void {
  const floor = patch.replayFloor ?? before.replayFloor;
  const share = patch.replayShare ?? before.replayShare;
  if (floor <= share) return;
  throw new ProblemError(
    'invalid_request',
    `The floor of replay may not be above its share: ${floor} is more than ${share}.`,
    { pointer: patch.replayFloor === undefined ? '/replayShare' : '/replayFloor' },
  );
}

export function settingsOf(row: PipelineRow) {
  return {
    capacityEventsPerSecond: row.capacityEventsPerSecond,
    capacityOrigin: row.capacityOrigin,
    replayShare: row.replayShare,
    replayFloor: row.replayFloor,
    headroom: row.headroom,
    signals: row.signals,
    reconnectStaggerMs: row.reconnectStaggerMs,
    maxSourcesReplaying: row.maxSourcesReplaying,
    highWaterMark: row.highWaterMark,
    liveEventsPerSecond: row.liveEventsPerSecond,
    route: row.route,
    routeDecision: row.routeDecision,
    ...(row.external === null ? {} : { external: shownExternal(row.external) }),
  };
}
