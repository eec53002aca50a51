import type { QuarantinePage } from '@spillway/shared/api/backfill';
import { asc, eq } from 'drizzle-orm';
import type { Static } from 'typebox';
import type { ControlContext } from '../context.ts';
import { quarantine } from '../database/schema.ts';
import { assertBackfill } from './queries.ts';

/**
 * The first events that were left out: what the readers could not parse, then what the store refused. There is no second page: who
 * needs all of them needs the source, whose rows the addresses name. Errors: `unknown_backfill`, `unavailable`.
 */
export async function readQuarantine(
  ctx: ControlContext,
  id: string,
  limit = 50,
): Promise<Static<typeof QuarantinePage>> {
  await assertBackfill(ctx, id);
  const { sourceId, address, code, detail } = quarantine;
  const unread = await ctx.database
    .select({ sourceId, address, code, detail })
    .from(quarantine)
    .where(eq(quarantine.backfillId, id))
    .orderBy(asc(quarantine.at), asc(sourceId), asc(address))
    .limit(limit);
  const refused = unread.length < limit ? await ctx.store.quarantine(id, limit - unread.length) : [];
  return { items: [...unread, ...refused], nextCursor: null };
}
