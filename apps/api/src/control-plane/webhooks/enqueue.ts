/**
 * Into the queues of the webhooks that want it, in the transaction of what it tells of: what happened is told, what did not is not,
 * whoever dies. No receiver is met here. A queue holds {@link QUEUE_MAX} messages; when it is full the oldest goes, and is counted.
 */
import type { WebhookEvent } from '@spillway/shared/webhooks/events';
import { eq, sql } from 'drizzle-orm';
import { newId } from '../access/secrets.ts';
import type { Transaction } from '../database/database.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';
import { bodyOf, type News } from './news.ts';

export const QUEUE_MAX = 1_000;
/** A statement takes 65,535 parameters, and what was to be told must not fail for being much. */
const ROWS_A_STATEMENT = 1_000;

export async function tellWebhooks(tx: Transaction, news: readonly News[]): Promise<void> {
  if (news.length === 0) return;
  // Locked as a foreign key locks them: one that is removed meanwhile is waited for, and must not fail what is told of.
  const wanted = await tx
    .select({ id: webhooks.id, events: webhooks.events })
    .from(webhooks)
    .where(eq(webhooks.enabled, true))
    .orderBy(webhooks.id)
    .for('key share');
  const rows = wanted.flatMap(({ id, events }) =>
    news.filter(({ event }) => events.includes(event as WebhookEvent)).map((one) => rowOf(id, one)),
  );
  if (rows.length > 0) await put(tx, rows);
}

/** To one, whatever it wants. Its id. */
export async function tellWebhook(tx: Transaction, webhookId: string, news: News): Promise<string> {
  const row = rowOf(webhookId, news);
  await put(tx, [row]);
  return row.id;
}

type NewRow = Pick<typeof webhookMessages.$inferInsert, 'webhookId' | 'event' | 'body'> & { id: string };

function rowOf(webhookId: string, news: News): NewRow {
  const id = newId('msg');
  return { id, webhookId, event: news.event, body: bodyOf(id, news) };
}

async function put(tx: Transaction, rows: readonly NewRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT)
    await tx.insert(webhookMessages).values(rows.slice(from, from + ROWS_A_STATEMENT));
  const webhookIds = sql.param([...new Set(rows.map(({ webhookId }) => webhookId))]);
  // What is being sent, or pushed out by somebody else, is left to them.
  const { rows: dropped } = await tx.execute<{ webhook_id: string }>(sql`
    delete from ${webhookMessages} where id in (
      select id from ${webhookMessages} join (
        select id as old, row_number() over (partition by webhook_id order by ordinal desc) as place
        from ${webhookMessages} where webhook_id = any(${webhookIds}::text[])
      ) placed on placed.old = id
      where place > ${QUEUE_MAX} for update of webhook_messages skip locked
    ) returning webhook_id`);
  const counts = Map.groupBy(dropped, ({ webhook_id }) => webhook_id);
  for (const id of [...counts.keys()].toSorted())
    await tx
      .update(webhooks)
      .set({ dropped: sql`${webhooks.dropped} + ${counts.get(id)?.length ?? 0}` })
      .where(eq(webhooks.id, id));
}
