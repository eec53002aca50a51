/**
 * Leases that end without their worker: expired by the database's clock, and not before, unless somebody has seen the process end, or it has
 * said that it leaves. One whose connection has closed may only be cut off and still publish at its grant until its own deadline: whoever took its place earlier
 * would double the rate.
 */
import { type SQL, sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { settle } from '../backfill/settle.ts';
import { lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Database, type Transaction, type UnitOfWork, unitOfWork } from '../database/database.ts';
import { governorMemory } from '../governor/memory.ts';

const expired = sql`lease_expires_at < clock_timestamp()`;

/** Returns how many there were. */
export async function sweepExpiredLeases(ctx: ControlContext): Promise<number> {
  if ((await backfillsOf(ctx.database, expired)).length === 0) return 0;
  return unitOfWork(ctx.database, (work) =>
    endLeases(ctx, work, expired, (leases) => ctx.log.warn({ leases }, 'leases ended without their worker')),
  );
}

/** Of workers that do nothing any more for certain. Returns how many there were. */
export async function endLeasesOf(
  ctx: ControlContext,
  work: UnitOfWork,
  workerIds: readonly string[],
): Promise<number> {
  const theirs = sql`worker_id = any(${sql.param([...workerIds])}::text[])`;
  return endLeases(ctx, work, theirs, (leases) =>
    ctx.log.info({ leases, workerIds }, 'leases ended with their workers'),
  );
}

async function backfillsOf(database: Database | Transaction, doomedIf: SQL): Promise<string[]> {
  const { rows } = await database.execute<{ backfill_id: string }>(
    sql`select distinct backfill_id from runs where state = 'leased' and ${doomedIf}`,
  );
  return rows.map((row) => row.backfill_id);
}

/** Their runs are pending again, with the last checkpoint. */
async function endLeases(
  ctx: ControlContext,
  { tx, afterCommit }: UnitOfWork,
  doomedIf: SQL,
  say: (leaseIds: string[]) => void,
): Promise<number> {
  const locked = await lockBackfills(tx, await backfillsOf(tx, doomedIf));
  const { rows: ended } = await tx.execute<{ id: string; backfill_id: string; worker_id: string }>(sql`
    with ending as (select id, worker_id from runs where state = 'leased' and ${doomedIf} for update)
    update runs set state = 'pending', worker_id = null, lease_expires_at = null
    from ending where runs.id = ending.id
    returning runs.id, runs.backfill_id, ending.worker_id`);
  const affected = new Set(ended.map((run) => run.backfill_id));
  for (const row of locked) if (affected.has(row.id)) await settle(tx, row);
  afterCommit(async () => {
    if (ended.length === 0) return;
    const { grants, throttles } = governorMemory(ctx);
    for (const run of ended) {
      grants.lose(run.id);
      throttles.gone(run.id);
      ctx.workers.push(run.worker_id, { type: 'stop', leaseIds: [run.id], why: 'revoked' });
    }
    say(ended.map((run) => run.id));
    ctx.workers.broadcast('replay', { type: 'wake' });
    await announce(ctx, ...affected);
  });
  return ended.length;
}
