/** What webhooks may be told of; each is a `type` of CloudEvents with `spillway.` before it. */
export const webhookEvents = [
  'alert.raised',
  'alert.cleared',
  'backfill.completed',
  'backfill.cancelled',
  'backfill.failed',
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];
