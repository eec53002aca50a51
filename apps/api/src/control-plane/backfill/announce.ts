import { eq } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills } from '../database/schema.ts';
import { selectRecords, toResource } from './resource.ts';

/** Tells the browsers how a backfill stands now. With an operator's actions: the stream narrows them for whom it serves. */
export async function announce(ctx: ControlContext, backfillId: string): Promise<void> {
  const [record] = await selectRecords(ctx.database).where(eq(backfills.id, backfillId));
  if (record !== undefined)
    ctx.changes.publish({ event: 'backfill', data: { backfill: toResource(ctx, record, true) } });
}
