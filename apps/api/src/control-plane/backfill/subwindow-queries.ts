/** Progress at the finest grain, without a row per subwindow: what was never handed out is told from its lane. */
import type { Receipt, SubwindowBins, SubwindowRun, SubwindowState } from '@spillway/shared/api/backfill';
import { binRuns } from '@spillway/shared/backfill/bins';
import { rangeOf } from '@spillway/shared/backfill/lane';
import { and, asc, eq, sql } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { backfills, lanes, runs } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../problem-error.ts';
import { afterCommand, lockFor } from './command.ts';
import { unknownBackfill } from './queries.ts';
import { openReceipt } from './receipts.ts';
import { reopenRuns, requeue } from './retry.ts';

type LaneRow = typeof lanes.$inferSelect;
type RunRow = typeof runs.$inferSelect;

interface Loaded {
  readonly subwindowMs: number;
  readonly window: { readonly from: number; readonly to: number };
  readonly lanes: readonly LaneRow[];
  readonly runs: readonly RunRow[];
}

/** By source, then by event time. */
export async function listSubwindows(
  ctx: ControlContext,
  id: string,
  query: { readonly limit?: number; readonly cursor?: string; readonly state?: SubwindowState },
): Promise<{ items: SubwindowRun[]; nextCursor: string | null }> {
  const limit = query.limit ?? 50;
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'number']);
  const loaded = await load(ctx, id);
  const matching = loaded.lanes
    .flatMap((lane) => entriesOf(loaded, lane))
    .filter(({ run }) => query.state === undefined || run.state === query.state)
    .filter(
      ({ run, fromIndex }) =>
        after === null || run.sourceId > after[0] || (run.sourceId === after[0] && fromIndex > after[1]),
    );
  const page = matching.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ run }) => run),
    nextCursor:
      matching.length > limit && last !== undefined
        ? encodeCursor([last.run.sourceId, last.fromIndex])
        : null,
  };
}

export async function subwindowBins(ctx: ControlContext, id: string, bins: number): Promise<SubwindowBins> {
  const loaded = await load(ctx, id);
  return {
    bins,
    window: {
      from: new Date(loaded.window.from).toISOString(),
      to: new Date(loaded.window.to).toISOString(),
    },
    lanes: loaded.lanes.map((lane) => {
      const shape = { laneFrom: lane.laneFrom, laneTo: lane.laneTo, subwindowMs: loaded.subwindowMs };
      const own = loaded.runs.filter((run) => run.sourceId === lane.sourceId);
      return {
        sourceId: lane.sourceId,
        ...binRuns(
          own.map((run) => ({ state: run.state, ...rangeOf(shape, run.fromIndex, run.toIndex) })),
          loaded.window,
          bins,
        ),
      };
    }),
  };
}

/**
 * The one failed run is tried again; the backfill is queued for it. Where several have failed it is retried as a whole: nothing of a backfill goes on beside a
 * failed run, so one alone would fail again before anybody had it.
 * Errors: `not_found`, `illegal_transition`, `several_failed`.
 */
export async function retrySubwindow(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  runId: string,
): Promise<Receipt> {
  const { tx } = work;
  const before = await lockFor('retry', tx, actor, id);
  const failed = await tx
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.backfillId, id), eq(runs.kind, 'replay'), eq(runs.state, 'failed')));
  if (!failed.some((run) => run.id === runId))
    throw new ProblemError('not_found', `Backfill ${id} has no failed run ${runId}.`);
  if (failed.length > 1)
    throw new ProblemError(
      'several_failed',
      `${failed.length} runs of backfill ${id} have failed, and it goes on when all of them are tried again: retry the backfill.`,
      { pointer: 'runId' },
    );
  await reopenRuns(tx, id);
  const after = await requeue(tx, before);
  const receipt = await openReceipt(tx, {
    verb: 'retry',
    backfillId: id,
    pipelineId: before.pipelineId,
    done: true,
  });
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'subwindow.retry',
    target: id,
    before: { state: before.state, run: runId },
    after: { state: after.state },
  });
  afterCommand(ctx, work, id);
  return receipt;
}

async function load(ctx: ControlContext, id: string): Promise<Loaded> {
  const [row] = await ctx.database.select().from(backfills).where(eq(backfills.id, id));
  if (row === undefined) throw unknownBackfill(id);
  return {
    subwindowMs: row.subwindowMs,
    window: { from: row.windowFrom, to: row.windowTo },
    lanes: await ctx.database
      .select()
      .from(lanes)
      .where(eq(lanes.backfillId, id))
      // By code unit, as the cursor compares.
      .orderBy(asc(sql`${lanes.sourceId} collate "C"`)),
    runs: await ctx.database
      .select()
      .from(runs)
      .where(and(eq(runs.backfillId, id), eq(runs.kind, 'replay')))
      .orderBy(asc(runs.fromIndex)),
  };
}

/** The lane's runs, and the stretch that nobody was given yet as one more. */
function entriesOf(loaded: Loaded, lane: LaneRow): { run: SubwindowRun; fromIndex: number }[] {
  const made = loaded.runs
    .filter((run) => run.sourceId === lane.sourceId)
    .map((run) => ({ run: resourceOf(run, lane, loaded.subwindowMs), fromIndex: run.fromIndex }));
  if (lane.nextIndex === lane.subwindows) return made;
  const rest = { ...untouched, sourceId: lane.sourceId, fromIndex: lane.nextIndex, toIndex: lane.subwindows };
  return [
    ...made,
    {
      run: resourceOf({ ...rest, id: `next-${loaded.lanes.indexOf(lane)}` }, lane, loaded.subwindowMs),
      fromIndex: lane.nextIndex,
    },
  ];
}

const untouched = { state: 'pending', attempt: 0, workerId: null, published: 0, failure: null } as const;

function resourceOf(
  run: Pick<
    RunRow,
    'id' | 'sourceId' | 'fromIndex' | 'toIndex' | 'state' | 'attempt' | 'workerId' | 'published' | 'failure'
  >,
  lane: LaneRow,
  subwindowMs: number,
): SubwindowRun {
  const { from, to } = rangeOf(
    { laneFrom: lane.laneFrom, laneTo: lane.laneTo, subwindowMs },
    run.fromIndex,
    run.toIndex,
  );
  return {
    id: run.id,
    sourceId: run.sourceId,
    window: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    subwindows: run.toIndex - run.fromIndex,
    state: run.state,
    attempt: run.attempt,
    workerId: run.workerId,
    eventsPublished: run.published,
    failure: run.failure,
  };
}
