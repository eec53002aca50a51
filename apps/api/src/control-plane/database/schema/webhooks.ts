/** Who is told, and what waits to be told. */

import type { WebhookAttempt } from '@spillway/shared/api/webhook';
import type { WebhookEvent } from '@spillway/shared/webhooks/events';
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  check,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** Where messages are sent to. What waits to be sent stands in `webhook_messages`. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: text('id').primaryKey(),
    title: text('title').notNull(),
    /** As it was given: it may hold a token, so it is never shown, logged or audited as it is. */
    url: text('url').notNull(),
    events: jsonb('events').$type<WebhookEvent[]>().notNull(),
    enabled: boolean('enabled').notNull(),
    /** What messages are signed with, encrypted under a key made from the admin token. */
    sealedSecret: jsonb('sealed_secret').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    /** Rises with what an admin changes, not with deliveries. */
    revision: integer('revision').notNull().default(1),
    delivered: bigint('delivered', { mode: 'number' }).notNull().default(0),
    givenUp: bigint('given_up', { mode: 'number' }).notNull().default(0),
    /** Pushed out of the queue when it was full. */
    dropped: bigint('dropped', { mode: 'number' }).notNull().default(0),
    lastAttempt: jsonb('last_attempt').$type<WebhookAttempt>(),
  },
  (t) => [check('webhooks_counts_not_negative', sql`least(${t.delivered}, ${t.givenUp}, ${t.dropped}) >= 0`)],
);

/** The queue of each webhook: written in the transaction of what it tells of, removed when it has been delivered or given up. */
export const webhookMessages = pgTable(
  'webhook_messages',
  {
    id: text('id').primaryKey(),
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    webhookId: text('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    event: text('event').$type<WebhookAttempt['event']>().notNull(),
    /** As it is signed and sent, every time. */
    body: text('body').notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** Null: it has not been tried yet. */
    nextAttemptAt: instant('next_attempt_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('webhook_messages_by_webhook').on(t.webhookId, t.ordinal),
    check('webhook_messages_tried_when_due_again', sql`(${t.attempts} = 0) = (${t.nextAttemptAt} is null)`),
  ],
);
