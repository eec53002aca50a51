import type { Alert } from '@spillway/shared/api/governor';
import { and, desc, eq, gte, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { alerts } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';

export type AlertRow = typeof alerts.$inferSelect;

const rank = sql<number>`case when ${alerts.clearedAt} is null then 1 else 0 end`;

/** Raised ones first, then those that were; each the newest first. */
export async function listAlerts(
  ctx: Pick<ControlContext, 'database'>,
  query: {
    readonly limit?: number;
    readonly cursor?: string;
    readonly pipelineId?: string;
    readonly state?: 'raised' | 'cleared';
  },
): Promise<{ items: Alert[]; nextCursor: string | null }> {
  const limit = query.limit ?? 50;
  const rows = await ctx.database
    .select()
    .from(alerts)
    .where(
      and(
        query.pipelineId === undefined ? undefined : eq(alerts.pipelineId, query.pipelineId),
        query.state === undefined ? undefined : inState[query.state],
        query.cursor === undefined ? undefined : after(query.cursor),
      ),
    )
    .orderBy(sql`${rank} desc`, sql`${alerts.ordinal} desc`)
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(toAlert),
    nextCursor:
      rows.length > limit && last !== undefined
        ? encodeCursor([last.clearedAt === null ? 1 : 0, last.ordinal])
        : null,
  };
}

const MOST_IN_SPAN = 200;

/** Raised at some time of `[from, to)`, also before it and not cleared yet; the newest first. */
export async function alertRowsOf(
  ctx: Pick<ControlContext, 'database'>,
  { pipelineId, from, to }: { readonly pipelineId: string; readonly from: number; readonly to: number },
): Promise<AlertRow[]> {
  return ctx.database
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.pipelineId, pipelineId),
        lt(alerts.raisedAt, new Date(to)),
        or(isNull(alerts.clearedAt), gte(alerts.clearedAt, new Date(from))),
      ),
    )
    .orderBy(desc(alerts.ordinal))
    .limit(MOST_IN_SPAN);
}

const inState = { raised: isNull(alerts.clearedAt), cleared: isNotNull(alerts.clearedAt) };

/** One that is cleared between two pages is seen twice, never missed. */
function after(cursor: string): SQL {
  const [lastRank, lastOrdinal] = decodeCursor(cursor, ['number', 'number']);
  return sql`(${rank}, ${alerts.ordinal}) < (${lastRank}::bigint, ${lastOrdinal}::bigint)`;
}

export function toAlert(row: AlertRow): Alert {
  return {
    id: row.id,
    pipelineId: row.pipelineId,
    backfillId: row.backfillId,
    code: row.code,
    subject: row.subject,
    severity: row.severity,
    // What is over is told as what was.
    detail: row.clearedAt === null ? row.detail : (row.past ?? row.detail),
    raisedAt: row.raisedAt.toISOString(),
    clearedAt: row.clearedAt?.toISOString() ?? null,
  };
}
