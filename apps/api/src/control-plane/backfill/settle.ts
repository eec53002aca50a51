/**
 * From what was asked to what is so: `pausing` and `cancelling` end in the transaction in which the last lease ends, whoever ends
 * it (the worker that stopped, its death, its completion), together with the counters it reported.
 */
import { eq, sql } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { holds, lanes, runs } from '../database/schema.ts';
import { settleBrake, settleReceipt } from './receipts.ts';
import { type BackfillRow, transition } from './transition.ts';

/** The row as it is then. The caller has locked it. */
export async function settle(tx: Transaction, row: BackfillRow): Promise<BackfillRow> {
  if (row.state !== 'pausing' && row.state !== 'cancelling' && row.state !== 'verifying') return row;
  if (await holdsLease(tx, row.id)) return row;
  if (row.state === 'verifying') {
    await settleBrake(tx, row.pipelineId);
    return row;
  }
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

/** Nothing of a cancelled backfill is left: no slot, no hold. From `queued` or `cancelling`. */
export async function endCancelled(tx: Transaction, row: BackfillRow): Promise<BackfillRow> {
  await releaseSlots(tx, row.id);
  await tx.delete(holds).where(eq(holds.backfillId, row.id));
  return transition(tx, row, 'cancelled');
}

export async function releaseSlots(tx: Transaction, backfillId: string): Promise<void> {
  await tx.update(lanes).set({ slotHeld: false }).where(eq(lanes.backfillId, backfillId));
}
