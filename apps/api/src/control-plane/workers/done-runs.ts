import { mergeDone } from '@spillway/shared/backfill/merge-runs';
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { runs } from '../database/schema.ts';

const columns = {
  id: runs.id,
  sourceId: runs.sourceId,
  fromIndex: runs.fromIndex,
  toIndex: runs.toIndex,
  read: runs.read,
  published: runs.published,
  again: runs.again,
  quarantined: runs.quarantined,
};

/**
 * Marks runs of one backfill done and joins them with their done neighbours, in the caller's transaction.
 * Returns how many subwindows are done now that were not before. The caller has locked the backfill.
 */
export async function markDone(
  tx: Transaction,
  backfillId: string,
  runIds: readonly string[],
): Promise<number> {
  const fresh = await tx
    .select(columns)
    .from(runs)
    .where(inArray(runs.id, [...runIds]));
  const lanes = [...new Set(fresh.map((run) => run.sourceId))];
  const done = await tx
    .select(columns)
    .from(runs)
    .where(
      and(
        eq(runs.backfillId, backfillId),
        inArray(runs.sourceId, lanes),
        eq(runs.kind, 'replay'),
        eq(runs.state, 'done'),
      ),
    );
  const all = [...done, ...fresh];
  const merged = lanes.flatMap((lane) => mergeDone(all.filter((run) => run.sourceId === lane)));
  const kept = new Set(merged.map((run) => run.id));
  const gone = all.filter((run) => !kept.has(run.id)).map((run) => run.id);
  await tx.execute(sql`
    with merged as (
      select * from jsonb_to_recordset(${JSON.stringify(merged)}::jsonb)
        as x(id text, "fromIndex" bigint, "toIndex" bigint, read bigint, published bigint, again bigint, quarantined bigint)
    ), gone as (
      delete from runs where id = any(${sql.param(gone)}::text[])
    )
    update runs set state = 'done', worker_id = null, lease_expires_at = null, failure = null,
      from_index = m."fromIndex", to_index = m."toIndex", read = m.read, published = m.published, again = m.again, quarantined = m.quarantined
    from merged m where runs.id = m.id`);
  return fresh.reduce((subwindows, run) => subwindows + run.toIndex - run.fromIndex, 0);
}
