import { count, eq } from 'drizzle-orm';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ControlContext } from '../context.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';
import { QUEUE_MAX } from '../webhooks/enqueue.ts';

/** Read from the queues when it is asked for; one that is removed vanishes. */
export function registerWebhookMetrics(
  registry: Registry,
  { database }: Pick<ControlContext, 'database'>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'spillway_webhook_queue_length',
    help: `Messages that wait for a webhook; at ${QUEUE_MAX} the oldest is dropped`,
    labelNames: ['webhook'],
    registers,
    async collect() {
      this.reset();
      const queues = await database
        .select({ webhook: webhooks.id, messages: count(webhookMessages.id) })
        .from(webhooks)
        .leftJoin(webhookMessages, eq(webhookMessages.webhookId, webhooks.id))
        .groupBy(webhooks.id);
      for (const { webhook, messages } of queues) this.set({ webhook }, messages);
    },
  });
  new Counter({
    name: 'spillway_webhook_messages_total',
    help: 'Messages to a webhook by what became of them: delivered, given_up, dropped',
    labelNames: ['webhook', 'outcome'],
    registers,
    async collect() {
      this.reset();
      for (const { id: webhook, delivered, givenUp, dropped } of await database.select().from(webhooks)) {
        this.inc({ webhook, outcome: 'delivered' }, delivered);
        this.inc({ webhook, outcome: 'given_up' }, givenUp);
        this.inc({ webhook, outcome: 'dropped' }, dropped);
      }
    },
  });
}
