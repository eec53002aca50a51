import { and, asc, eq, isNull, lte, notInArray, or, sql } from 'drizzle-orm';
import type { Database } from '../database/database.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';

export interface DueMessage {
  readonly id: string;
  readonly webhookId: string;
  readonly event: (typeof webhookMessages.$inferSelect)['event'];
  readonly body: string;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly url: string;
  readonly sealedSecret: unknown;
}

/** At most one of each webhook, but for those that are `busy`: a test first, else the one that has waited longest of those due. */
export function dueMessages(
  database: Database,
  nowMs: number,
  busy: readonly string[],
): Promise<DueMessage[]> {
  return database
    .selectDistinctOn([webhookMessages.webhookId], {
      id: webhookMessages.id,
      webhookId: webhookMessages.webhookId,
      event: webhookMessages.event,
      body: webhookMessages.body,
      attempts: webhookMessages.attempts,
      createdAt: webhookMessages.createdAt,
      url: webhooks.url,
      sealedSecret: webhooks.sealedSecret,
    })
    .from(webhookMessages)
    .innerJoin(webhooks, eq(webhooks.id, webhookMessages.webhookId))
    .where(
      and(
        or(isNull(webhookMessages.nextAttemptAt), lte(webhookMessages.nextAttemptAt, new Date(nowMs))),
        busy.length === 0 ? undefined : notInArray(webhookMessages.webhookId, [...busy]),
      ),
    )
    .orderBy(
      asc(webhookMessages.webhookId),
      sql`${webhookMessages.event} <> 'webhook.test'`,
      asc(webhookMessages.ordinal),
    );
}
