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
