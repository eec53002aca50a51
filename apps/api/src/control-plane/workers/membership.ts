/**
 * Who works, and who stands by. Replay workers all work. Of the feed workers one works; another that joins
 * stands by until the first has been silent for six ticks. Of the apply workers one works, or one for each lane (divide-lanes.ts). Two that work for a moment do no harm: the store fences the
 * older applier, and event ids make a second feed's events duplicates.
 */

import type { WorkerResource } from '@spillway/shared/api/session';
import {
  type ApplyLane,
  type Joined,
  type JoinWorker,
  protocolVersion,
  type WorkerRole,
} from '@spillway/shared/api/worker-protocol';
import type { LeaseWorker } from '@spillway/shared/backfill/call-back';
import { and, desc, eq, inArray, isNull, notInArray, sql } from 'drizzle-orm';
import { version } from '../../version.ts';
import type { ControlContext } from '../context.ts';
import { runs, workers } from '../database/schema.ts';
import { governorMemory, type Member } from '../governor/memory.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { knownTo, workerPipelines } from '../pipelines/worker-view.ts';
import { ProblemError } from '../problem-error.ts';
import { divideLanes } from './divide-lanes.ts';
import { requireSameIdentities } from './identities.ts';
import { endMemberships, notHere } from './leaving.ts';
import { newWorkerId } from './worker-id.ts';

const SILENT_MS = 1_500;
const LOST_MS = 10_000;

/** Errors: those of {@link requireSameVersion} and {@link requireSameIdentities}. */
export async function joinWorker(ctx: ControlContext, body: JoinWorker): Promise<Joined> {
  requireSameVersion(body);
  const { role, pid, host, tags = [], leasesMax = null } = body;
  await requireSameIdentities(ctx, body);
  const memory = governorMemory(ctx);
  if (body.replaces !== undefined) await takeLeaveOf(ctx, { role, host, ...body.replaces });
  const id = newWorkerId(role);
  // Decided and remembered before anything is awaited: of two that join together one stands by.
  const now = ctx.clock.monotonic();
  const member: Member = {
    ...{ role, tags, leasesMax, lanes: [], commitsSideBySide: false },
    ...{ sequence: 0, lastTickMs: now, writtenMs: now },
    standby: role === 'feed' && workingMember(ctx, role) !== null,
  };
  memory.members.set(id, member);
  if (role === 'apply') divideAmongAppliers(ctx);
  const { standby } = member;
  await ctx.database
    .insert(workers)
    .values({ id, role, pid, host, version, protocolVersion, tags, leasesMax, standby });
  return {
    workerId: id,
    standby,
    ...toldLanes(member),
    pipelines: knownTo(role, await workerPipelines(ctx)),
  };
}

/** Errors: `version_mismatch` for a worker of another version of the protocol, or of Spillway. */
function requireSameVersion(worker: Pick<JoinWorker, 'version' | 'protocolVersion'>): void {
  if (worker.protocolVersion !== protocolVersion)
    throw new ProblemError(
      'version_mismatch',
      `This worker speaks version ${worker.protocolVersion} of the worker protocol, the api ${protocolVersion}: start a worker of version ${version}.`,
      { pointer: '/protocolVersion' },
    );
  if (worker.version !== version)
    throw new ProblemError(
      'version_mismatch',
      `This worker is Spillway ${worker.version}, the api is ${version}: start a worker of version ${version}.`,
      { pointer: '/version' },
    );
}

/** Of the processes that the new one replaces: they have ended, so they neither work nor publish any more. One heard since has not. */
async function takeLeaveOf(
  ctx: ControlContext,
  { role, host, pids, endedForMs }: Pick<JoinWorker, 'role' | 'host'> & NonNullable<JoinWorker['replaces']>,
): Promise<void> {
  const heard = [...governorMemory(ctx).members].flatMap(([id, member]) =>
    heardWithin(ctx, member, endedForMs) ? [id] : [],
  );
  await endMemberships(
    ctx,
    and(
      eq(workers.role, role),
      eq(workers.host, host),
      inArray(workers.pid, pids),
      notInArray(workers.id, heard),
    ),
  );
}

/**
 * Errors: `not_found` for one that never joined or has left, or whose protocol nobody has kept: it has to join again; of one that joined an api of
 * another version those of {@link requireSameVersion}.
 */
export async function memberOf(ctx: ControlContext, workerId: string): Promise<Member> {
  const { members } = governorMemory(ctx);
  const known = members.get(workerId);
  if (known !== undefined) return known;
  const [row] = await ctx.database
    .select()
    .from(workers)
    .where(and(eq(workers.id, workerId), isNull(workers.leftAt)));
  if (row === undefined || row.protocolVersion === null) throw notHere(workerId);
  requireSameVersion({ version: row.version, protocolVersion: row.protocolVersion });
  // It joined an earlier process of this api; another request may have been quicker.
  const member = members.get(workerId) ?? {
    role: row.role,
    tags: row.tags,
    leasesMax: row.leasesMax,
    standby: row.standby,
    lanes: null,
    commitsSideBySide: false,
    sequence: 0,
    lastTickMs: ctx.clock.monotonic(),
    writtenMs: Number.NEGATIVE_INFINITY,
  };
  members.set(workerId, member);
  return member;
}

/** Lets those that stand by take over where nobody works. Those who have more to do than before: they are to be told how everything stands. */
export async function promoteStandbys(ctx: ControlContext): Promise<string[]> {
  const before = new Map([...governorMemory(ctx).members].map(([id, member]) => [id, { ...member }]));
  divideAmongAppliers(ctx);
  if (workingMember(ctx, 'feed') === null) promoteFeed(ctx);
  const changed = [...governorMemory(ctx).members].filter(([id, { standby, lanes }]) => {
    const was = before.get(id);
    return was?.standby !== standby || was.lanes?.join() !== lanes?.join();
  });
  if (changed.length === 0) return [];
  const working = changed.flatMap(([id, { standby }]) => (standby ? [] : [id]));
  await ctx.database
    .update(workers)
    .set({ standby: working.length === 0 ? true : notInArray(workers.id, working) })
    .where(
      inArray(
        workers.id,
        changed.map(([id]) => id),
      ),
    );
  for (const [workerId, { role, lanes }] of changed)
    if (working.includes(workerId)) ctx.log.info({ workerId, role, lanes }, 'takes over');
  return working;
}

function promoteFeed(ctx: ControlContext): void {
  const feeds = [...governorMemory(ctx).members.values()].filter(({ role }) => role === 'feed');
  const next = feeds.find((member) => heardWithin(ctx, member, SILENT_MS));
  if (next !== undefined) for (const member of feeds) member.standby = member !== next;
}

/** Nothing is awaited: of two that join together, each finds the other. */
function divideAmongAppliers(ctx: ControlContext): void {
  const appliers = [...governorMemory(ctx).members].filter(([, { role }]) => role === 'apply');
  const divided = divideLanes(
    appliers.map(([id, member]) => ({
      id,
      lanes: member.lanes ?? [],
      heard: member.lanes !== null && heardWithin(ctx, member, SILENT_MS),
    })),
    appliers.some(([, { commitsSideBySide }]) => commitsSideBySide),
  );
  for (const [id, member] of appliers) {
    if (member.lanes === null) continue;
    member.lanes = divided.get(id) ?? [];
    member.standby = member.lanes.length === 0;
  }
}

function lanesNow(ctx: ControlContext, workerId: string): { lanes?: ApplyLane[] } {
  const member = governorMemory(ctx).members.get(workerId);
  return member === undefined ? {} : toldLanes(member);
}

/** As an apply worker is told. */
export function toldLanes({ role, lanes }: Member): { lanes?: ApplyLane[] } {
  return role === 'apply' ? { lanes: [...(lanes ?? [])] } : {};
}

/** Members silent for so long that they count as gone; they are known again as soon as they tick. */
export function forgetSilent(ctx: ControlContext): void {
  const { members } = governorMemory(ctx);
  for (const [id, member] of members) if (!heardWithin(ctx, member, LOST_MS * 6)) members.delete(id);
}

/**
 * Replay workers at work: all of them, and those that are isolated. Generous: a stall of this process must not look like the loss of
 * every worker.
 *
 * @param externalStream the user's own that they would publish to: who is led elsewhere does not count
 */
export function replayWorkers(
  ctx: ControlContext,
  externalStream: string | null,
): { all: number; isolated: number } {
  const { sightings } = governorMemory(ctx);
  const nowMs = ctx.clock.monotonic();
  const working = replaying(ctx).filter(
    ([workerId]) => externalStream === null || sightings.mayReach(externalStream, workerId, nowMs),
  );
  return { all: working.length, isolated: working.filter(([, member]) => isIsolated(member)).length };
}

/** What they can hold. */
export function leaseWorkers(ctx: ControlContext): LeaseWorker[] {
  return replaying(ctx).map(([workerId, member]) => ({
    workerId,
    leasesMax: member.leasesMax ?? 0,
    isolated: isIsolated(member),
  }));
}

function replaying(ctx: ControlContext): [string, Member][] {
  return [...governorMemory(ctx).members].filter(
    ([, member]) => member.role === 'replay' && heardWithin(ctx, member, LOST_MS),
  );
}

export function isIsolated({ tags }: Member): boolean {
  return tags.includes('isolated');
}

/** Those heard lately, by role: how many work and stand by, and how long ago the one at work was heard last, ms. */
export function presenceOf(
  ctx: ControlContext,
): Record<WorkerRole, { working: number; standby: number; heardMs: number | null }> {
  const nowMs = ctx.clock.monotonic();
  const of = (role: WorkerRole) => {
    const members = [...governorMemory(ctx).members.values()].filter(
      (member) => member.role === role && heardWithin(ctx, member, LOST_MS),
    );
    const working = members.filter(({ standby }) => !standby);
    return {
      working: working.length,
      standby: members.length - working.length,
      heardMs: working.length === 0 ? null : Math.min(...working.map(({ lastTickMs }) => nowMs - lastTickMs)),
    };
  };
  return { replay: of('replay'), apply: of('apply'), feed: of('feed') };
}

function workingMember(ctx: ControlContext, role: WorkerRole): Member | null {
  for (const member of governorMemory(ctx).members.values())
    if (member.role === role && !member.standby && heardWithin(ctx, member, SILENT_MS)) return member;
  return null;
}

function heardWithin(ctx: ControlContext, member: Member, ms: number): boolean {
  return ctx.clock.monotonic() - member.lastTickMs < ms;
}

/** Those at work and those lost within the last hour, the newest first. */
export async function listWorkers(
  ctx: ControlContext,
  query: { readonly limit?: number; readonly cursor?: string },
): Promise<{ items: WorkerResource[]; nextCursor: string | null }> {
  const limit = query.limit ?? 50;
  const before = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number', 'string']);
  const rows = await ctx.database
    .select({
      row: workers,
      lost: sql<boolean>`${workers.lastTickAt} < now() - interval '10 seconds'`,
      // By the table's name: `${workers.id}` alone is written "id", which in here is that of the run.
      leases: sql<number>`(select count(*)::int from ${runs} r where r.worker_id = ${workers}.id and r.state = 'leased')`,
    })
    .from(workers)
    .where(
      and(
        isNull(workers.leftAt),
        sql`${workers.lastTickAt} > now() - interval '1 hour'`,
        before === null
          ? undefined
          : sql`(date_trunc('milliseconds', ${workers.joinedAt}), ${workers.id}) < (to_timestamp(${before[0]}::float8 / 1000), ${before[1]})`,
      ),
    )
    .orderBy(desc(sql`date_trunc('milliseconds', ${workers.joinedAt})`), desc(workers.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1)?.row;
  return {
    items: page.map(({ row, lost, leases }) => ({
      id: row.id,
      role: row.role,
      pid: row.pid,
      host: row.host,
      version: row.version,
      state: lost ? 'lost' : row.standby ? 'standby' : 'working',
      joinedAt: row.joinedAt.toISOString(),
      lastTickAt: row.lastTickAt.toISOString(),
      leases,
      leasesMax: row.leasesMax,
      tags: row.tags,
      ...lanesNow(ctx, row.id),
      rssBytes: row.rssBytes,
    })),
    nextCursor:
      rows.length > limit && last !== undefined ? encodeCursor([last.joinedAt.getTime(), last.id]) : null,
  };
}
