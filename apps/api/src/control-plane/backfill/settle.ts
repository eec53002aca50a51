/**
 * From what was asked to what is so: `pausing` and `cancelling` end in the transaction in which the last lease ends, whoever ends
 * it (the worker that stopped, its death, its completion), together with the counters it reported.
 */
import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import { eq, sql } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { holds, lanes, runs } from '../database/schema.ts';
import { settleBrake, settleReceipt } from './receipts.ts';
import { type BackfillRow, transition } from './transition.ts';

/** A brake does not move these on, but their last lease may be the last of the pipeline that it waits for. */
const braked: readonly BackfillState[] = ['verifying', 'completed', 'failed'];

/** The row as it is then. The caller has locked it. */
export async function settle(tx: Transaction, row: BackfillRow): Promise<BackfillRow> {
  if (row.state === 'verifying') await giveBackProofs(tx, row.id);
  if (braked.includes(row.state)) {
    await settleBrake(tx, row.pipelineId);
    return row;
  }
  if (row.state !== 'pausing' && row.state !== 'cancelling') return row;
  if (await holdsLease(tx, row.id)) return row;
  const settled = row.state === 'pausing' ? await transition(tx, row, 'paused') : await endCancelled(tx, row);
  await settleReceipt(tx, row.id, row.state === 'pausing' ? 'pause' : 'cancel');
  await settleBrake(tx, row.pipelineId);
  return settled;
}

/** What a proof had checked that ended without a verdict: the next begins at the beginning, and until it does nothing of it is checked. */
async function giveBackProofs(tx: Transaction, backfillId: string): Promise<void> {
  await tx.execute(sql`
    with thrown as (
      select id, buckets_checked, buckets_matched, events_checked from ${runs}
      where backfill_id = ${backfillId} and kind = 'verify' and state = 'pending' and (buckets_checked, events_checked) <> (0, 0)
    ), emptied as (
      update runs r set buckets_checked = 0, buckets_matched = 0, events_checked = 0 from thrown t where r.id = t.id
    )
    update backfills b set buckets_checked = b.buckets_checked - t.buckets_checked, buckets_matched = b.buckets_matched - t.buckets_matched,
      events_checked = b.events_checked - t.events_checked
    from (select sum(buckets_checked) as buckets_checked, sum(buckets_matched) as buckets_matched, sum(events_checked) as events_checked from thrown having count(*) > 0) t
    where b.id = ${backfillId}`);
}

async function holdsLease(tx: Transaction, backfillId: string): Promise<boolean> {
  const { rows } = await tx.execute<{ leased: boolean }>(
    sql`select exists (select 1 from ${runs} where backfill_id = ${backfillId} and state = 'leased') as leased`,
  );
  return rows[0]?.leased === true;
}

/** From `queued` or `cancelling`. */
export async function endCancelled(tx: Transaction, row: BackfillRow): Promise<BackfillRow> {
  await release(tx, row.id);
  return transition(
    tx,
    row,
    'cancelled',
    row.verificationState === 'running'
      ? { verificationState: 'unavailable', verificationDetail: 'cancelled before the proof had ended' }
      : {},
  );
}

/**
 * What has ended, or failed, keeps no slot and no hold. A hold left on it could never be lifted: `resume` and the release of the
 * brake are for what is paused. (A brake that is on stops a retried one all the same, by the pipeline.)
 */
export async function release(tx: Transaction, backfillId: string): Promise<void> {
  await tx.update(lanes).set({ slotHeld: false }).where(eq(lanes.backfillId, backfillId));
  await tx.delete(holds).where(eq(holds.backfillId, backfillId));
}
