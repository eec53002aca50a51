/**
 * The reconnect queue: every gap of known extent gets a backfill, and sources that come back together do not pile up.
 *
 * A pass of the governor looks for gaps without one, so what a crash left behind is found by the next pass, and nothing is queued
 * twice: a gap and its backfill are tied together in one transaction. Which window, and whether one that waits already is extended, is
 * `fillsFor`'s to decide. A queued one waits for its part of the stagger, and then for source slots, like any other.
 *
 * Not to be called by two at once: both would queue one where one is enough.
 */
import {
  fillsFor,
  type GapFill,
  staggerOf,
  type UnstartedFill,
} from '@spillway/shared/backfill/coalesce-gaps';
import { and, eq, inArray, isNotNull, isNull, lt } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import { afterCommand } from '../backfill/command.ts';
import { expectedEvents } from '../backfill/expected-events.ts';
import { planRequest } from '../backfill/request.ts';
import { limitsOf } from '../backfill/resource.ts';
import { startBackfill } from '../backfill/start.ts';
import { type BackfillRow, lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Database, type Transaction, type UnitOfWork, unitOfWork } from '../database/database.ts';
import { backfills, gaps, lanes, pipelines, sources } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { estimateStart } from '../quotes/estimate-start.ts';
import { spillway } from '../spillway.ts';

/** Of the counts: a window of whole steps has an exact count. */
const STEP_MS = 60_000;
/** A gap that no history holds is looked at again: history grows. */
const AGAIN_MS = 60_000;
const FAILED_AGAIN_MS = 5_000;
/** A pass of the governor waits for them, and with it every grant: the others' turn comes with the next. */
const FILLS_A_PASS = 16;

interface Waiting {
  readonly gapId: string;
  readonly sourceId: string;
  readonly pipelineId: string;
  readonly reconnectStaggerMs: number;
}

/** A backfill that may still be extended. */
interface Unstarted {
  readonly row: BackfillRow;
  readonly fill: UnstartedFill;
}

const refusedUntilMs = new WeakMap<Database, Map<string, number>>();

/** Up to so many of them. True when it queued or extended something. `random` is of [0, 1). */
export async function queueReconnects(
  ctx: ControlContext,
  random: () => number = Math.random,
): Promise<boolean> {
  const refused = refusedOf(ctx);
  const now = ctx.clock.monotonic();
  for (const [gapId, untilMs] of refused) if (untilMs <= now) refused.delete(gapId);
  const waiting = (await readWaiting(ctx)).filter(({ gapId }) => !refused.has(gapId));
  let queued = false;
  let turns = 0;
  for (const ofSource of Map.groupBy(waiting, (gap) => gap.sourceId).values())
    for (let left = ofSource; left.length > 0 && turns < FILLS_A_PASS; turns++) {
      // Whatever is wrong with one fill stops neither the others nor the governor's pass.
      const outcome = await queueNext(ctx, left, random);
      if (outcome.error === null) queued = true;
      else {
        const { error, gapIds } = outcome;
        ctx.log.warn({ sourceId: ofSource[0]?.sourceId, gapIds, err: error }, 'a gap cannot be filled');
        const againMs = error instanceof ProblemError ? AGAIN_MS : FAILED_AGAIN_MS;
        for (const gapId of gapIds) refused.set(gapId, now + againMs);
      }
      left = left.filter(({ gapId }) => !outcome.gapIds.includes(gapId));
    }
  return queued;
}

function refusedOf(ctx: ControlContext): Map<string, number> {
  const known = refusedUntilMs.get(ctx.database) ?? new Map<string, number>();
  refusedUntilMs.set(ctx.database, known);
  return known;
}

const unfilled = and(isNotNull(gaps.gapTo), isNull(gaps.backfillId), lt(gaps.gapFrom, gaps.gapTo));

function readWaiting(ctx: ControlContext): Promise<Waiting[]> {
  return ctx.database
    .select({
      gapId: gaps.id,
      sourceId: gaps.sourceId,
      pipelineId: pipelines.id,
      reconnectStaggerMs: pipelines.reconnectStaggerMs,
    })
    .from(gaps)
    .innerJoin(sources, eq(sources.id, gaps.sourceId))
    .innerJoin(pipelines, eq(pipelines.id, sources.pipelineId))
    .where(unfilled)
    .orderBy(gaps.disconnectedAt);
}

/** The first fill that the gaps of one source make, in a transaction of its own, and which of them it is about: all, when nobody knows. */
async function queueNext(
  ctx: ControlContext,
  waiting: readonly Waiting[],
  random: () => number,
): Promise<{ readonly gapIds: readonly string[]; readonly error: unknown }> {
  let gapIds: readonly string[] = waiting.map(({ gapId }) => gapId);
  try {
    await unitOfWork(ctx.database, async (work) => {
      const { fill, known } = await nextFill(work.tx, waiting);
      if (fill === undefined) return;
      gapIds = fill.gapIds;
      await queueFill(ctx, work, waiting[0] as Waiting, fill, known, random);
    });
    return { gapIds, error: null };
  } catch (error) {
    return { gapIds, error };
  }
}

/** Gaps, and what is queued of their source, locked. No fill: somebody else has filled them. */
async function nextFill(
  tx: Transaction,
  waiting: readonly Waiting[],
): Promise<{ readonly fill: GapFill | undefined; readonly known: Unstarted | undefined }> {
  const sourceId = (waiting[0] as Waiting).sourceId;
  const ids = waiting.map(({ gapId }) => gapId);
  const open = await tx
    .select({ gapId: gaps.id, sourceId: gaps.sourceId, from: gaps.gapFrom, to: gaps.gapTo })
    .from(gaps)
    .where(and(inArray(gaps.id, ids), unfilled))
    .orderBy(gaps.id)
    .for('update');
  const queued = await lockUnstarted(tx, sourceId);
  const [fill] = fillsFor(
    open.map((gap) => ({ ...gap, to: gap.to as number })),
    queued.map(({ fill: own }) => own),
    STEP_MS,
  );
  return { fill, known: queued.find(({ row }) => row.id === fill?.backfillId) };
}

async function queueFill(
  ctx: ControlContext,
  work: UnitOfWork,
  { pipelineId, reconnectStaggerMs }: Waiting,
  fill: GapFill,
  known: Unstarted | undefined,
  random: () => number,
): Promise<void> {
  const reason = reasonOf(fill, fill.gapIds.length + (known?.fill.gaps.length ?? 0));
  const backfillId =
    known === undefined
      ? await queue(ctx, work, pipelineId, fill, reason, staggerOf(reconnectStaggerMs, random))
      : await extend(ctx, work, known.row, fill, reason);
  await work.tx
    .update(gaps)
    .set({ backfillId })
    .where(inArray(gaps.id, [...fill.gapIds]));
}

async function queue(
  ctx: ControlContext,
  work: UnitOfWork,
  pipelineId: string,
  { sourceId, window }: GapFill,
  reason: string,
  staggerMs: number,
): Promise<string> {
  const { id } = await startBackfill(
    ctx,
    work,
    spillway,
    { pipelineId, sourceIds: [sourceId], window: { from: iso(window.from), to: iso(window.to) }, reason },
    { afterMs: staggerMs },
  );
  return id;
}

/** Planned anew over the wider window. When it may start stays: a source that flaps does not push its own backfill away. */
async function extend(
  ctx: ControlContext,
  work: UnitOfWork,
  row: BackfillRow,
  { sourceId, window }: GapFill,
  reason: string,
): Promise<string> {
  const { tx } = work;
  const planned = await planRequest(tx, {
    pipelineId: row.pipelineId,
    sourceIds: [sourceId],
    window: { from: iso(window.from), to: iso(window.to) },
  });
  const { plan } = planned;
  const [lane] = plan.lanes;
  const estimate = await estimateStart(ctx, tx, {
    planned,
    limits: limitsOf(row),
    quote: null,
    except: row.id,
  });
  await tx
    .update(lanes)
    .set({ ...lane })
    .where(eq(lanes.backfillId, row.id));
  await tx
    .update(backfills)
    .set({
      windowFrom: plan.window.from,
      windowTo: plan.window.to,
      requestedFrom: window.from,
      requestedTo: window.to,
      subwindowMs: plan.subwindowMs,
      subwindowsTotal: plan.subwindows,
      eventsExpected: expectedEvents(ctx, plan.lanes),
      estimate,
      reason,
      revision: row.revision + 1,
    })
    .where(eq(backfills.id, row.id));
  await appendAudit(work, ctx.clock, {
    actor: spillway,
    action: 'backfill.extend',
    target: row.id,
    reason,
    before: { window: { from: iso(row.windowFrom), to: iso(row.windowTo) } },
    after: { window: { from: iso(plan.window.from), to: iso(plan.window.to) } },
  });
  afterCommand(ctx, work, row.id);
  return row.id;
}

/** The source's reconnect backfills of which nothing has been handed out yet, locked. Once one has a slot, it is left as it is. */
async function lockUnstarted(tx: Transaction, sourceId: string): Promise<Unstarted[]> {
  const found = await tx
    .select({ id: backfills.id })
    .from(backfills)
    .innerJoin(lanes, eq(lanes.backfillId, backfills.id))
    .where(and(unstarted, eq(lanes.sourceId, sourceId)));
  const rows = await lockBackfills(
    tx,
    found.map(({ id }) => id),
  );
  const ids = rows.map(({ id }) => id);
  const still = await tx
    .select({ backfillId: backfills.id, from: lanes.laneFrom, to: lanes.laneTo })
    .from(lanes)
    .innerJoin(backfills, eq(backfills.id, lanes.backfillId))
    .where(and(unstarted, inArray(lanes.backfillId, ids), eq(lanes.sourceId, sourceId)));
  const own = await tx
    .select({ backfillId: gaps.backfillId, from: gaps.gapFrom, to: gaps.gapTo })
    .from(gaps)
    .where(inArray(gaps.backfillId, ids));
  return still.flatMap((fill) => {
    const row = rows.find(({ id }) => id === fill.backfillId);
    const spans = own.flatMap(({ backfillId, from, to }) =>
      backfillId === fill.backfillId && to !== null ? [{ from, to }] : [],
    );
    return row === undefined ? [] : [{ row, fill: { ...fill, sourceId, gaps: spans } }];
  });
}

/** A failed one that is tried again has been started. */
const unstarted = and(
  eq(backfills.origin, 'reconnect'),
  eq(backfills.state, 'queued'),
  isNull(backfills.startedAt),
  eq(lanes.slotHeld, false),
  eq(lanes.nextIndex, 0),
);

function reasonOf({ sourceId, window }: GapFill, outages: number): string {
  const times = outages === 1 ? '' : ` ${outages} times`;
  return `${sourceId} was disconnected${times} from ${iso(window.from)} to ${iso(window.to)}.`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
