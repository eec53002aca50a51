/** A webhook as its form holds it. */
import type { CreateWebhook, PatchWebhook, Webhook } from '@spillway/shared/api/webhook';
import { type WebhookEvent, webhookEvents } from '@spillway/shared/webhooks/events';

export interface WebhookDraft {
  readonly title: string;
  /** Of one that is changed, empty: it stays. */
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly enabled: boolean;
}
type WebhookProblems = Partial<Record<keyof WebhookDraft, string>>;

export const emptyWebhook: WebhookDraft = { title: '', url: '', events: webhookEvents, enabled: true };

export function draftOf({ title, events, enabled }: Webhook): WebhookDraft {
  return { title, url: '', events, enabled };
}

/** What can be known to be wrong without asking the server. */
export function webhookProblems({ title, url, events }: WebhookDraft, isNew: boolean): WebhookProblems {
  const given = url.trim();
  return {
    ...(title.trim() === '' ? { title: 'A name, as the list shows it' } : {}),
    ...((isNew || given !== '') && !/^https?:\/\/./.test(given) ? { url: 'https://…' } : {}),
    ...(events.length === 0 ? { events: 'At least one' } : {}),
  };
}

export function webhookBody({ title, url, events, enabled }: WebhookDraft): CreateWebhook {
  return { title: title.trim(), url: url.trim(), events: inOrder(events), enabled };
}

/** Only what was changed, so that two people who change different things do not undo each other. */
export function webhookPatch(before: Webhook, draft: WebhookDraft): PatchWebhook {
  const { title, url, events, enabled } = webhookBody(draft);
  return {
    ...(title === before.title ? {} : { title }),
    ...(url === '' ? {} : { url }),
    ...(events === undefined || String(events) === String(inOrder(before.events)) ? {} : { events }),
    ...(enabled === undefined || enabled === before.enabled ? {} : { enabled }),
  };
}

function inOrder(events: readonly WebhookEvent[]): WebhookEvent[] {
  return webhookEvents.filter((event) => events.includes(event));
}

/** The server's pointers, by the field they stand at. */
export const webhookPointers: Readonly<Record<string, keyof WebhookDraft>> = {
  '/title': 'title',
  '/url': 'url',
  '/events': 'events',
  '/enabled': 'enabled',
};
