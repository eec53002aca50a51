/**
 * Handing out leases. One short transaction: lock the backfills that run, read what of them is open, decide (pure), write.
 *
 * Invariant: a subwindow is handed out to one lease at a time. Its lane's `next_index` moves under the lock of the backfill's
 * row, and a run given back is handed out again only while it is `pending`. Every grant takes a new fencing token.
 */
import { randomUUID } from 'node:crypto';
import { type ClaimedLeases, type Lease, leaseMs } from '@spillway/shared/api/worker-protocol';
import { askedRate, proofRate } from '@spillway/shared/backfill/asked-rate';
import { type BackfillWork, type HandedOut, handOut } from '@spillway/shared/backfill/hand-out';
import { rangeOf } from '@spillway/shared/backfill/lane';
import { and, type SQL, sql } from 'drizzle-orm';
import type { Static } from 'typebox';
import { askedLimitsOf } from '../backfill/asked-limits.ts';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Transaction, unitOfWork } from '../database/database.ts';
import { backfills, pipelines } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { pushGrants } from '../governor/push-grants.ts';
import { ProblemError } from '../problem-error.ts';
import { requireStillHere } from './leaving.ts';
import { isIsolated, memberOf } from './membership.ts';

interface OpenLane {
  readonly backfill_id: string;
  readonly source_id: string;
  readonly lane_from: number;
  readonly lane_to: number;
  readonly subwindows: number;
  readonly next_index: number;
}
interface OpenRun {
  readonly backfill_id: string;
  readonly id: string;
  readonly source_id: string;
  readonly from_index: number;
  readonly state: string;
  readonly kind: string;
  readonly ready: boolean;
  /** It has failed, and has got no further since. */
  readonly failing: boolean;
}
interface GrantedRun {
  readonly id: string;
  readonly kind: Lease['kind'];
  readonly backfill_id: string;
  readonly source_id: string;
  readonly from_index: number;
  readonly to_index: number;
  readonly attempt: number;
  readonly fencing_token: number;
  readonly cursor: string | null;
  readonly read: number;
  readonly published: number;
  readonly quarantined: number;
  readonly again: number;
  readonly ahead: number;
}

/** Up to `max` leases. Errors: `not_found` for a worker that has to join again. */
export async function claimLeases(
  ctx: ControlContext,
  workerId: string,
  { max }: { readonly max: number },
): Promise<Static<typeof ClaimedLeases>> {
  const member = await memberOf(ctx, workerId);
  if (member.role !== 'replay') throw new ProblemError('forbidden', 'Only replay workers hold leases.');

  const claimed = await unitOfWork(ctx.database, async ({ tx }) => {
    await requireStillHere(tx, workerId);
    const running = await tx
      .select()
      .from(backfills)
      .where(and(sql`${backfills.state} in ('running', 'verifying')`, reaches(ctx, workerId)))
      .orderBy(backfills.id)
      .for('update');
    if (running.length === 0) return [];
    const { lanes, runs } = await readOpen(
      tx,
      running.map((row) => row.id),
    );
    const works = running.map((row) => workOf(ctx, row, lanes, runs)).filter((work) => work !== null);
    const handed = handOut(works, max, ctx.statistics.expectedEvents, {
      isolated: isIsolated(member),
    });
    if (handed.length === 0) return [];
    const granted = await write(tx, workerId, handed);
    const proofs = await proofRates(
      tx,
      running.filter(({ id }) => granted.some((run) => run.kind === 'verify' && run.backfill_id === id)),
      runs,
    );
    return granted.map((run) => ({
      run,
      row: running.find((row) => row.id === run.backfill_id) as BackfillRow,
      lane: lanes.find(
        (lane) => lane.backfill_id === run.backfill_id && lane.source_id === run.source_id,
      ) as OpenLane,
      proofEventsPerSecond: run.kind === 'verify' ? (proofs.get(run.backfill_id) ?? null) : null,
    }));
  });

  const { grants } = governorMemory(ctx);
  for (const { run, row } of claimed)
    grants.open(
      { leaseId: run.id, backfillId: row.id, pipelineId: row.pipelineId, workerId, kind: run.kind },
      run.published,
    );
  const changed = new Set(
    [...new Set(claimed.map(({ row }) => row.pipelineId))].flatMap((pipelineId) =>
      grants.distribute(pipelineId),
    ),
  );
  const leases = claimed.map(({ run, row, lane, proofEventsPerSecond }): Lease => {
    changed.delete(run.id);
    const shape = { laneFrom: lane.lane_from, laneTo: lane.lane_to, subwindowMs: row.subwindowMs };
    return {
      id: run.id,
      kind: run.kind,
      fencingToken: run.fencing_token,
      deadlineMs: leaseMs,
      pipelineId: row.pipelineId,
      backfillId: row.id,
      sourceId: run.source_id,
      ...rangeOf(shape, run.from_index, run.to_index),
      subwindowMs: row.subwindowMs,
      attempt: run.attempt,
      cursor: run.cursor,
      published: run.published,
      read: run.read,
      quarantined: run.quarantined,
      again: run.again,
      ahead: run.ahead,
      proofEventsPerSecond,
      grant: grants.send(run.id) ?? {
        leaseId: run.id,
        sequence: 0,
        eventsPerSecond: 0,
        validForMs: 0,
        safeEventsPerSecond: 0,
      },
    };
  });
  pushGrants(ctx, [...changed]);
  return { leases };
}

/** The stream of its pipeline, as far as anyone knows (stream-sightings.ts). */
function reaches(ctx: ControlContext, workerId: string): SQL | undefined {
  const streams = governorMemory(ctx).sightings.outOfReachOf(workerId, ctx.clock.monotonic());
  return streams.length === 0
    ? undefined
    : sql`${backfills.pipelineId} not in (select id from pipelines where external is not null and replay_stream = any(${sql.param(streams)}::text[]))`;
}

/** Lanes with a slot and runs that are not done, of backfills without a hold. Read after the lock, so by a snapshot that knows what the last claim did. */
async function readOpen(
  tx: Transaction,
  backfillIds: readonly string[],
): Promise<{ lanes: OpenLane[]; runs: OpenRun[] }> {
  const ids = sql`any(${sql.param([...backfillIds])}::text[])`;
  const free = sql`not exists (select 1 from holds h where h.backfill_id = l.backfill_id)
    and not exists (select 1 from backfills b join pipelines p on p.id = b.pipeline_id where b.id = l.backfill_id and p.replay_paused)`;
  const { rows } = await tx.execute<{ lanes: OpenLane[] | null; runs: OpenRun[] | null }>(sql`
    select
      (select json_agg(json_build_object('backfill_id', l.backfill_id, 'source_id', l.source_id, 'lane_from', l.lane_from, 'lane_to', l.lane_to,
        'subwindows', l.subwindows, 'next_index', l.next_index))
       from lanes l where l.backfill_id = ${ids} and l.slot_held and ${free}) as lanes,
      (select json_agg(json_build_object('backfill_id', r.backfill_id, 'id', r.id, 'source_id', r.source_id, 'from_index', r.from_index, 'state', r.state, 'kind', r.kind,
        'ready', r.retry_at is null or r.retry_at <= now(), 'failing', r.failures > 0))
       from runs r where r.backfill_id = ${ids} and r.state in ('pending', 'leased')) as runs`);
  return { lanes: rows[0]?.lanes ?? [], runs: rows[0]?.runs ?? [] };
}

/** What can be claimed of a backfill now; null when nothing can. */
function workOf(
  ctx: ControlContext,
  row: BackfillRow,
  allLanes: readonly OpenLane[],
  allRuns: readonly OpenRun[],
): BackfillWork | null {
  const proving = row.state === 'verifying';
  const rate = governorMemory(ctx).grants.planned(row.pipelineId, row.id);
  // A lease without a rate would only expire.
  if (!proving && rate <= 0) return null;
  const own = allRuns.filter((run) => run.backfill_id === row.id);
  // What one run of a lane cannot reach, the next could not either: nothing new is begun there until it has got on.
  const failing = new Set(own.filter((run) => run.failing).map((run) => run.source_id));
  const lanes = allLanes
    .filter((lane) => lane.backfill_id === row.id)
    .map((lane) => ({
      sourceId: lane.source_id,
      laneFrom: lane.lane_from,
      laneTo: lane.lane_to,
      subwindowMs: row.subwindowMs,
      subwindows: lane.subwindows,
      nextIndex: proving || failing.has(lane.source_id) ? lane.subwindows : lane.next_index,
    }));
  return {
    backfillId: row.id,
    priority: row.priority,
    ordinal: row.ordinal,
    lastServedMs: governorMemory(ctx).grants.lastServedMs(row.id),
    concurrency: row.concurrency,
    isolated: row.isolated,
    leased: own.filter((run) => run.state === 'leased').length,
    eventsPerSecondPerLease: rate / row.concurrency,
    lanes,
    pending: own
      .filter((run) => run.state === 'pending' && run.ready && (run.kind === 'verify') === proving)
      .map((run) => ({ id: run.id, sourceId: run.source_id, fromIndex: run.from_index })),
  };
}

/** Events/s of each of a backfill's proofs, so that all that may run at once stay within its rate. None where no rate is known. */
async function proofRates(
  tx: Transaction,
  proving: readonly BackfillRow[],
  open: readonly OpenRun[],
): Promise<ReadonlyMap<string, number>> {
  if (proving.length === 0) return new Map();
  const known = await tx.select().from(pipelines);
  return new Map(
    proving.flatMap((row) => {
      const pipeline = known.find(({ id }) => id === row.pipelineId);
      const asked = pipeline === undefined ? null : askedRate(askedLimitsOf(row), pipeline);
      const atOnce = Math.min(row.concurrency, open.filter((run) => run.backfill_id === row.id).length);
      return asked === null ? [] : [[row.id, proofRate(asked) / Math.max(1, atOnce)] as const];
    }),
  );
}

/** One statement: lanes move on, new runs are made, pending ones are taken, each with a token of its own. */
async function write(tx: Transaction, workerId: string, handed: readonly HandedOut[]): Promise<GrantedRun[]> {
  const fresh = handed.flatMap((out) =>
    out.type === 'new'
      ? [
          {
            id: newLeaseId(),
            backfill_id: out.backfillId,
            source_id: out.sourceId,
            from_index: out.fromIndex,
            to_index: out.toIndex,
          },
        ]
      : [],
  );
  const taken = handed.flatMap((out) => (out.type === 'pending' ? [out.runId] : []));
  const columns = sql.raw(
    'id, kind, backfill_id, source_id, from_index::float8, to_index::float8, attempt, fencing_token::float8, cursor, read::float8, published::float8, quarantined::float8, again::float8, ahead::float8',
  );
  const { rows } = await tx.execute<GrantedRun & Record<string, unknown>>(sql`
    with fresh as (
      select * from jsonb_to_recordset(${JSON.stringify(fresh)}::jsonb) as x(id text, backfill_id text, source_id text, from_index bigint, to_index bigint)
    ), moved as (
      update lanes l set next_index = f.to_index
      from (select backfill_id, source_id, max(to_index) as to_index from fresh group by 1, 2) f
      where l.backfill_id = f.backfill_id and l.source_id = f.source_id
    ), made as (
      insert into runs (id, backfill_id, source_id, from_index, to_index, state, attempt, worker_id, fencing_token, lease_expires_at)
      select id, backfill_id, source_id, from_index, to_index, 'leased', 1, ${workerId}, nextval('fencing_tokens'), clock_timestamp() + ${leaseInterval} from fresh
      returning ${columns}
    ), taken as (
      update runs set state = 'leased', attempt = attempt + 1, worker_id = ${workerId}, fencing_token = nextval('fencing_tokens'),
        lease_expires_at = clock_timestamp() + ${leaseInterval}, retry_at = null
      where id = any(${sql.param(taken)}::text[]) and state = 'pending'
      returning ${columns}
    )
    select * from taken union all select * from made`);
  return rows;
}

export const leaseInterval = sql.raw(`interval '${leaseMs} milliseconds'`);

function newLeaseId(): string {
  return `ls_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
}
