import { createHmac } from 'node:crypto';

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, keyed with what follows
 * `whsec_` in base64. `atMs` is the time of this attempt, epoch ms; the header has whole seconds.
 */
export function signedHeaders(
  secret: string,
  message: { readonly id: string; readonly body: string },
  atMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key)
    .update(`${message.id}.${timestamp}.${message.body}`)
    .digest('base64');
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
