/** Alerts that are over: written, and told. */
import { and, isNull, type SQL, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { alerts } from '../database/schema.ts';
import { tellWebhooks } from '../webhooks/enqueue.ts';
import { newsOfAlert } from '../webhooks/news.ts';
import { type AlertRow, toAlert } from './queries.ts';

/** Of those, the ones that are raised. */
export function clearAlerts(tx: Transaction, which: SQL): Promise<AlertRow[]> {
  return (
    tx
      .update(alerts)
      // The wall clock may have been set back since.
      .set({ clearedAt: sql`greatest(now(), ${alerts.raisedAt})` })
      .where(and(which, isNull(alerts.clearedAt)))
      .returning()
  );
}

/** Webhooks hear that something has begun or is over, browsers also what is `said` otherwise now. */
export async function tellAlerts(
  ctx: ControlContext,
  { tx, afterCommit }: UnitOfWork,
  news: readonly AlertRow[],
  said: readonly AlertRow[] = [],
): Promise<void> {
  await tellWebhooks(
    tx,
    news.map((row) => newsOfAlert(toAlert(row))),
  );
  afterCommit(() => {
    for (const row of [...news, ...said])
      ctx.changes.publish({ event: 'alert', data: { alert: toAlert(row) } });
  });
}
