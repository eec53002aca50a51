import type { AuditPage, AuditQuery } from '@spillway/shared/api/audit';
import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { audit } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../problem-error.ts';

/** Newest first. Errors: `invalid_cursor`, `invalid_window`. */
export async function readAudit(
  ctx: Pick<ControlContext, 'database'>,
  query: AuditQuery,
): Promise<AuditPage> {
  const limit = query.limit ?? 50;
  const rows = await ctx.database
    .select()
    .from(audit)
    .where(and(...narrowedBy(query)))
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

function narrowedBy({ cursor, actor, action, target, from, to }: AuditQuery): (SQL | undefined)[] {
  const before = cursor === undefined ? undefined : decodeCursor(cursor, ['number'])[0];
  const [since, until] = [from, to].map((at) => (at === undefined ? undefined : new Date(at)));
  if (since !== undefined && until !== undefined && since >= until)
    throw new ProblemError('invalid_window', 'The range ends before it begins.', { pointer: 'to' });
  return [
    before === undefined ? undefined : lt(audit.sequence, before),
    actor === undefined ? undefined : eq(audit.actor, actor),
    action === undefined ? undefined : isAction(action),
    target === undefined ? undefined : eq(audit.target, target),
    since === undefined ? undefined : gte(audit.at, since),
    until === undefined ? undefined : lt(audit.at, until),
  ];
}

/** Without a verb: everything done to that kind of resource. */
function isAction(action: string): SQL {
  return action.includes('.') ? eq(audit.action, action) : sql`starts_with(${audit.action}, ${`${action}.`})`;
}
