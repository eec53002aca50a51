/**
 * Leases that end without their worker: expired by the database's clock, and not before, unless somebody has seen the process end. One
 * whose connection has closed may only be cut off and still publish at its grant until its own deadline: whoever took its place earlier
 * would double the rate.
 */
import { type SQL, sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { settle } from '../backfill/settle.ts';
import { lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { unitOfWork } from '../database/database.ts';
import { governorMemory } from '../governor/memory.ts';

const expired = sql`lease_expires_at < clock_timestamp()`;

/** Returns how many there were. */
export async function sweepExpiredLeases(ctx: ControlContext): Promise<number> {
  return endLeases(ctx, expired);
}

/** Of workers whose processes have ended for certain. Returns how many there were. */
export async function endLeasesOf(ctx: ControlContext, workerIds: readonly string[]): Promise<number> {
  return endLeases(ctx, sql`worker_id = any(${sql.param([...workerIds])}::text[])`);
}

/** Their runs are pending again, with the last checkpoint. */
async function endLeases(ctx: ControlContext, doomedIf: SQL): Promise<number> {
  const { rows: doomed } = await ctx.database.execute<{ backfill_id: string }>(
    sql`select distinct backfill_id from runs where state = 'leased' and ${doomedIf}`,
  );
  if (doomed.length === 0) return 0;
  return unitOfWork(ctx.database, async ({ tx, afterCommit }) => {
    const locked = await lockBackfills(
      tx,
      doomed.map((row) => row.backfill_id),
    );
    const { rows: ended } = await tx.execute<{ id: string; backfill_id: string; worker_id: string }>(sql`
      with ending as (select id, worker_id from runs where state = 'leased' and ${doomedIf} for update)
      update runs set state = 'pending', worker_id = null, lease_expires_at = null
      from ending where runs.id = ending.id
      returning runs.id, runs.backfill_id, ending.worker_id`);
    const affected = new Set(ended.map((run) => run.backfill_id));
    for (const row of locked) if (affected.has(row.id)) await settle(tx, row);
    afterCommit(async () => {
      const { grants, throttles } = governorMemory(ctx);
      for (const run of ended) {
        grants.lose(run.id);
        throttles.gone(run.id);
        ctx.workers.push(run.worker_id, { type: 'stop', leaseIds: [run.id], why: 'revoked' });
      }
      if (ended.length > 0)
        ctx.log.warn({ leases: ended.map((run) => run.id) }, 'leases ended without their worker');
      ctx.workers.broadcast('replay', { type: 'wake' });
      await announce(ctx, ...affected);
    });
    return ended.length;
  });
}
