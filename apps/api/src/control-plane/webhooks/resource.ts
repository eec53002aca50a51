import type { Webhook } from '@spillway/shared/api/webhook';
import { count, eq, inArray, min } from 'drizzle-orm';
import type { Database, Transaction } from '../database/database.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';
import { shownWebhookUrl } from '../outbound/shown-url.ts';
import { QUEUE_MAX } from './enqueue.ts';

export type WebhookRow = typeof webhooks.$inferSelect;

/** What an admin has set: for the audit, and for its share of the resource. */
export function definitionOf(row: WebhookRow): Pick<Webhook, 'title' | 'url' | 'events' | 'enabled'> {
  return { title: row.title, url: shownWebhookUrl(row.url), events: row.events, enabled: row.enabled };
}

/** Only admins meet one. */
export async function toWebhooks(
  database: Database | Transaction,
  rows: readonly WebhookRow[],
): Promise<Webhook[]> {
  if (rows.length === 0) return [];
  const queues = await database
    .select({
      webhookId: webhookMessages.webhookId,
      length: count(),
      oldestAt: min(webhookMessages.createdAt),
    })
    .from(webhookMessages)
    .where(
      inArray(
        webhookMessages.webhookId,
        rows.map(({ id }) => id),
      ),
    )
    .groupBy(webhookMessages.webhookId);
  return rows.map((row) => {
    const queue = queues.find(({ webhookId }) => webhookId === row.id);
    return {
      id: row.id,
      ...definitionOf(row),
      createdBy: row.createdBy,
      createdAt: row.createdAt.toISOString(),
      revision: row.revision,
      queue: {
        length: queue?.length ?? 0,
        limit: QUEUE_MAX,
        oldestAt: queue?.oldestAt?.toISOString() ?? null,
      },
      messages: { delivered: row.delivered, givenUp: row.givenUp, dropped: row.dropped },
      lastAttempt: row.lastAttempt,
      allowedActions: ['update', 'delete', 'test'],
    };
  });
}

export async function toWebhook(database: Database | Transaction, row: WebhookRow): Promise<Webhook> {
  const [webhook] = await toWebhooks(database, [row]);
  if (webhook === undefined) throw new Error('one row makes one webhook');
  return webhook;
}

export async function readWebhookRow(
  database: Database | Transaction,
  id: string,
): Promise<WebhookRow | null> {
  const [row] = await database.select().from(webhooks).where(eq(webhooks.id, id));
  return row ?? null;
}
