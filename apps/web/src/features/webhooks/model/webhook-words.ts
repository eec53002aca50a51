import type { Webhook, WebhookAttempt } from '@spillway/shared/api/webhook';
import { type WebhookEvent, webhookEvents } from '@spillway/shared/webhooks/events';
import { formatCount, formatMs, formatSpan } from '../../../lib/format.ts';

export const eventWords: Readonly<Record<WebhookEvent, string>> = {
  'alert.raised': 'an alert is raised',
  'alert.cleared': 'an alert is cleared',
  'backfill.completed': 'a backfill is completed',
  'backfill.cancelled': 'a backfill is cancelled',
  'backfill.failed': 'a backfill fails',
};

export function eventsText(events: readonly WebhookEvent[]): string {
  if (webhookEvents.every((event) => events.includes(event)))
    return 'every alert and every end of a backfill';
  return webhookEvents
    .filter((event) => events.includes(event))
    .map((event) => eventWords[event])
    .join(', ');
}

export type DeliveryState = 'off' | 'unsent' | WebhookAttempt['outcome'];

export function deliveryOf({
  enabled,
  lastAttempt,
}: Pick<Webhook, 'enabled' | 'lastAttempt'>): DeliveryState {
  if (lastAttempt !== null) return lastAttempt.outcome;
  return enabled ? 'unsent' : 'off';
}

/** How the last attempt went: "status 204 in 35 ms, 2 min ago", "the host refused the connection, 3 s ago; again in 27 s". */
export function attemptText(attempt: WebhookAttempt, nowMs: number): string {
  const { at, error, status, latencyMs, nextAttemptAt, event } = attempt;
  const ago = `${formatSpan(Math.max(0, nowMs - Date.parse(at)))} ago`;
  const what = event === 'webhook.test' ? 'a test: ' : '';
  const how = error ?? `status ${status ?? 'unknown'} in ${formatMs(latencyMs)}`;
  if (nextAttemptAt === null) return `${what}${how}, ${ago}`;
  const leftMs = Date.parse(nextAttemptAt) - nowMs;
  const again = leftMs > 0 ? `again in ${formatSpan(leftMs)}` : 'again now';
  return `${what}${how}, ${ago}; attempt ${attempt.attempt}, ${again}`;
}

/** What waits, and what never arrived; null: neither. */
export function queueText(
  { queue, messages }: Pick<Webhook, 'queue' | 'messages'>,
  nowMs: number,
): string | null {
  const parts = [
    queue.length === 0 || queue.oldestAt === null
      ? null
      : `${formatCount(queue.length)} of ${formatCount(queue.limit)} waiting, the oldest for ${formatSpan(Math.max(0, nowMs - Date.parse(queue.oldestAt)))}`,
    messages.givenUp === 0 ? null : `${formatCount(messages.givenUp)} given up`,
    messages.dropped === 0 ? null : `${formatCount(messages.dropped)} dropped from a full queue`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' · ');
}

/** What somebody else has changed, in words. */
export function webhookDifferences(before: Webhook, current: Webhook): string[] {
  const onOff = (enabled: boolean) => (enabled ? 'on' : 'off');
  return [
    ...(before.title === current.title ? [] : [`name: ${before.title} → ${current.title}`]),
    ...(before.url === current.url ? [] : [`address: ${before.url} → ${current.url}`]),
    ...(eventsText(before.events) === eventsText(current.events)
      ? []
      : [`told when: ${eventsText(before.events)} → ${eventsText(current.events)}`]),
    ...(before.enabled === current.enabled ? [] : [`${onOff(before.enabled)} → ${onOff(current.enabled)}`]),
  ];
}
