import {
  CreatedWebhook,
  CreateWebhook,
  PatchWebhook,
  Webhook,
  WebhookPage,
  WebhookTest,
} from '@spillway/shared/api/webhook';
import { Type } from 'typebox';
import { answersSeal, webhooksSeal } from '../../access/seal.ts';
import { unitOfWork } from '../../database/database.ts';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  patchWebhook,
  readWebhook,
  testWebhook,
} from '../../webhooks/definitions.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { revisionOf, withEtag } from '../revision.ts';
import { ById, ListQuery } from './parameters.ts';

const delivery =
  'Each message is a CloudEvents 1.0 event (see `webhooks` in this document), signed as Standard Webhooks has it: `webhook-signature` is `v1,` and the HMAC-SHA256 of `webhook-id.webhook-timestamp.body` in base64. At least once, with one `webhook-id` over all attempts: 8 of them in about four hours; order is not promised. Any 2xx within 10 s takes it; redirects are not followed. 1,000 messages may wait, then the oldest is dropped.';

export function webhookRoutes(app: App, { ctx, settings, webhooks: runner }: HttpParts): void {
  const config = { access: 'admin' } as const;
  const tags = ['webhooks'];
  const seal = answersSeal(settings.adminToken);
  const kept = { seal: webhooksSeal(settings.adminToken), named: settings.webhookHosts };

  app.get(
    '/v1/webhooks',
    {
      config,
      schema: {
        tags,
        summary: 'Webhooks, their queues and how the last attempt went',
        querystring: ListQuery,
        response: { 200: WebhookPage },
      },
    },
    (request) => listWebhooks(ctx, request.query),
  );
  app.post(
    '/v1/webhooks',
    {
      config,
      schema: {
        tags,
        summary: 'Make a webhook; this answer alone shows its secret',
        description: delivery,
        body: CreateWebhook,
        response: { 201: CreatedWebhook },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 201, seal }, (work) =>
        createWebhook(ctx, work, callerOf(request), request.body, kept),
      ),
  );
  app.get(
    '/v1/webhooks/:id',
    { config, schema: { tags, summary: 'One webhook', params: ById, response: { 200: Webhook } } },
    async (request, reply) => withEtag(reply, await readWebhook(ctx, request.params.id)),
  );
  app.patch(
    '/v1/webhooks/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change a webhook (If-Match)',
        params: ById,
        body: PatchWebhook,
        response: { 200: Webhook },
      },
    },
    async (request, reply) => {
      const ifMatchRevision = revisionOf(request);
      const webhook = await unitOfWork(ctx.database, (work) =>
        patchWebhook(ctx, work, callerOf(request), request.params.id, request.body, {
          named: kept.named,
          ifMatchRevision,
        }),
      );
      return withEtag(reply, webhook);
    },
  );
  app.delete(
    '/v1/webhooks/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Remove a webhook, and what waits for it',
        params: ById,
        response: { 204: Type.Null({ description: 'removed' }) },
      },
    },
    async (request, reply) => {
      await unitOfWork(ctx.database, (work) =>
        deleteWebhook(ctx, work, callerOf(request), request.params.id),
      );
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/v1/webhooks/:id/test',
    {
      config: { ...config, bodyOptional: true },
      schema: {
        tags,
        summary: 'Send a test message',
        description: 'It is tried once. `lastAttempt` of the webhook says how it went.',
        params: ById,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 202: WebhookTest },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 202 }, async (work) => {
        const sent = await testWebhook(ctx, work, callerOf(request), request.params.id);
        work.afterCommit(() => runner.tryNow(request.params.id));
        return sent;
      }),
  );
}
