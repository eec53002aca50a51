import type { Tick, TickAnswer } from '@spillway/shared/api/worker-protocol';
import { eq, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { recordUsage } from '../cost/record-usage.ts';
import { workers } from '../database/schema.ts';
import type { Member } from '../governor/memory.ts';
import { observeCapacity } from '../governor/observe-capacity.ts';
import { learnFromFeed } from '../sources/gaps.ts';
import { lanesOf } from '../telemetry/apply-view.ts';
import { recordApplied } from './applied.ts';
import { recordExternal } from './external.ts';
import { recordLeaseReports } from './lease-reports.ts';
import { memberOf, toldLanes } from './membership.ts';

/** `last_tick_at` is for people and for a restarted api; takeovers go by the memory. */
const WRITE_EVERY_MS = 1_000;

/**
 * A worker's report. Its numbers are absolute: one that arrives twice changes nothing, and one older than the last is ignored.
 * Errors: `not_found` for a worker that has to join again.
 */
export async function recordTick(ctx: ControlContext, workerId: string, tick: Tick): Promise<TickAnswer> {
  const member = await memberOf(ctx, workerId);
  if (tick.sequence <= member.sequence) return { ...answerTo(ctx, member), leases: [] };
  member.sequence = tick.sequence;
  const arrivedMs = ctx.clock.monotonic();
  member.lastTickMs = arrivedMs;
  // One that an earlier process of this api gave something to do goes on with it.
  if (member.role === 'apply') {
    member.lanes ??= tick.apply === null ? [] : lanesOf(tick.apply);
    if (tick.apply !== null) member.commitsSideBySide = tick.apply.commitsSideBySide ?? false;
  }

  if (!member.standby) ctx.telemetry.observeTick(workerId, member.role, tick);
  const leases =
    member.role === 'replay'
      ? await recordLeaseReports(ctx, workerId, tick.leases, tick.quarantined, member.lastTickMs)
      : [];
  if (member.role === 'apply' && !member.standby && tick.apply !== null) {
    await recordApplied(ctx, tick.apply, arrivedMs);
    await observeCapacity(ctx, workerId, tick.apply);
  }
  if (member.role === 'replay') await recordExternal(ctx, workerId, tick.replay?.external ?? []);
  await recordUsage(ctx, member.standby ? { ...tick, apply: null } : tick);
  if (member.role === 'feed' && !member.standby && tick.feed !== null) await learnFromFeed(ctx, tick.feed);
  if (member.lastTickMs - member.writtenMs >= WRITE_EVERY_MS) {
    member.writtenMs = member.lastTickMs;
    await ctx.database
      .update(workers)
      .set({ lastTickAt: sql`now()`, rssBytes: tick.rssBytes })
      .where(eq(workers.id, workerId));
  }
  return { ...answerTo(ctx, member), leases };
}

/** Who applies replay alone cannot see for itself what live suffers. */
function answerTo(ctx: ControlContext, member: Member): Omit<TickAnswer, 'leases'> {
  const { standby, role, lanes } = member;
  const told = { standby, ...toldLanes(member) };
  if (role !== 'apply' || !lanes?.includes('replay') || lanes.includes('live')) return told;
  return { ...told, liveFreshnessMsP99: ctx.telemetry.liveFreshnessMsP99() };
}
