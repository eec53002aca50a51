import type { QuarantinePage } from '@spillway/shared/api/backfill';
import { compareAddresses } from '@spillway/shared/sources/row-address';
import { sql } from 'drizzle-orm';
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
  const unread = await readUnread(ctx, id, limit);
  const refused = unread.length < limit ? await ctx.store.quarantine(id, limit - unread.length) : [];
  return { items: [...unread, ...refused], nextCursor: null };
}

type Row = Static<typeof QuarantinePage>['items'][number];

/** As they were told: those of one tick, at most a hundred, by the numbers in their addresses. */
async function readUnread({ database }: ControlContext, id: string, limit: number): Promise<Row[]> {
  const { at, sourceId, address, code, detail } = quarantine;
  const { rows } = await database.execute<Row & { place: number }>(sql`
    select ${sourceId} as "sourceId", ${address} as address, ${code} as code, ${detail} as detail,
      (dense_rank() over (order by ${at}, ${sourceId}))::int as place
    from ${quarantine} where ${quarantine.backfillId} = ${id}
    order by ${at}, ${sourceId} fetch first ${limit} rows with ties`);
  return rows
    .toSorted((a, b) => a.place - b.place || compareAddresses(a.address, b.address))
    .slice(0, limit)
    .map(({ place: _, ...row }) => row);
}
