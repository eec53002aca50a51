import type { AuditEntry } from '@spillway/shared/api/session';
import { and, desc, eq, lt } from 'drizzle-orm';
import type { Static } from 'typebox';
import type { ControlContext } from '../context.ts';
import { audit } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';

type Entry = Static<typeof AuditEntry>;

/** Newest first. */
export async function readAudit(
  ctx: Pick<ControlContext, 'database'>,
  query: { limit?: number; cursor?: string; target?: string },
): Promise<{ items: Entry[]; nextCursor: string | null }> {
  const limit = query.limit ?? 50;
  const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, ['number'])[0];
  const rows = await ctx.database
    .select()
    .from(audit)
    .where(
      and(
        before === undefined ? undefined : lt(audit.sequence, before),
        query.target === undefined ? undefined : eq(audit.target, query.target),
      ),
    )
    .orderBy(desc(audit.sequence))
    .limit(limit + 1);
  const items = rows
    .slice(0, limit)
    .map(({ previousHash: _, at, ...row }) => ({ ...row, at: at.toISOString() }));
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.sequence]) : null,
  };
}
