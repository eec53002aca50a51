import type {
  CreatedWebhook,
  CreateWebhook,
  PatchWebhook,
  Webhook,
  WebhookPage,
  WebhookTest,
} from '@spillway/shared/api/webhook';
import { queryOptions } from '@tanstack/react-query';
import { every } from '../../../lib/every.ts';
import { request } from '../../../lib/http.ts';

const path = (id: string) => `/v1/webhooks/${encodeURIComponent(id)}`;

/** Deliveries are not told by the event stream: they are looked at while somebody looks. */
const lookAgainMs = 5_000;

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: async ({ signal }): Promise<readonly Webhook[]> =>
    (await request<WebhookPage>('/v1/webhooks?limit=200', { signal })).items,
  refetchInterval: every(lookAgainMs),
});

export function createWebhook(body: CreateWebhook, idempotencyKey: string): Promise<CreatedWebhook> {
  return request<CreatedWebhook>('/v1/webhooks', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': idempotencyKey },
  });
}

/** On the revision the edit began with. */
export function patchWebhook(id: string, body: PatchWebhook, revision: number): Promise<Webhook> {
  return request<Webhook>(path(id), { method: 'PATCH', body, headers: { 'if-match': `"${revision}"` } });
}

export function deleteWebhook(id: string): Promise<void> {
  return request<void>(path(id), { method: 'DELETE' });
}

export function testWebhook(id: string): Promise<WebhookTest> {
  return request<WebhookTest>(`${path(id)}/test`, { method: 'POST', body: {} });
}
