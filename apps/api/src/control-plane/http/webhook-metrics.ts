import { count, eq } from 'drizzle-orm';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ControlContext } from '../context.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';
import { QUEUE_MAX } from '../webhooks/enqueue.ts';
import { askedFor } from './asked-for.ts';

/** Read from the queues when it is asked for; one that is removed vanishes. */
export function registerWebhookMetrics(
  registry: Registry,
  { database }: Pick<ControlContext, 'database'>,
): void {
  const registers = [registry];
  const queues = askedFor(() =>
    database
      .select({ webhook: webhooks.id, messages: count(webhookMessages.id) })
      .from(webhooks)
      .leftJoin(webhookMessages, eq(webhookMessages.webhookId, webhooks.id))
      .groupBy(webhooks.id),
  );
  const counts = askedFor(() =>
    database
      .select({
        webhook: webhooks.id,
        delivered: webhooks.delivered,
        given_up: webhooks.givenUp,
        dropped: webhooks.dropped,
      })
      .from(webhooks),
  );
  new Gauge({
    name: 'spillway_webhook_queue_length',
    help: `Messages that wait for a webhook; at ${QUEUE_MAX} the oldest is dropped`,
    labelNames: ['webhook'],
    registers,
    async collect() {
      const rows = await queues();
      this.reset();
      for (const { webhook, messages } of rows) this.set({ webhook }, messages);
    },
  });
  new Counter({
    name: 'spillway_webhook_messages_total',
    help: 'Messages to a webhook by what became of them: delivered, given_up, dropped',
    labelNames: ['webhook', 'outcome'],
    registers,
    async collect() {
      const rows = await counts();
      // Counted anew without a pause in between: two who ask at once must not count twice.
      this.reset();
      for (const { webhook, ...outcomes } of rows)
        for (const [outcome, messages] of Object.entries(outcomes)) this.inc({ webhook, outcome }, messages);
    },
  });
}
