import { inArray } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { loadMeters } from '../cost/meter-book.ts';
import { backfills } from '../database/schema.ts';
import { selectRecords, toResource } from './resource.ts';

/**
 * Tells the browsers how backfills stand now. With an operator's actions: the stream narrows them for whom it serves.
 * Never fails: it comes after the commit, and what is done must not be answered with an error because nobody could be told.
 */
export async function announce(ctx: ControlContext, ...backfillIds: readonly string[]): Promise<void> {
  if (backfillIds.length === 0) return;
  try {
    const records = await selectRecords(ctx.database).where(inArray(backfills.id, [...backfillIds]));
    await loadMeters(ctx, records);
    for (const record of records)
      ctx.changes.publish({ event: 'backfill', data: { backfill: toResource(ctx, record, true) } });
  } catch (error) {
    ctx.log.warn({ err: error, backfillIds }, 'a change could not be told');
  }
}
