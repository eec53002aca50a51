/**
 * Webhooks: what happens is told to other systems. Each message is a CloudEvents 1.0 event as JSON, signed as Standard Webhooks has it
 * (`webhook-id`, `webhook-timestamp`, `webhook-signature`). It is delivered at least once: `webhook-id` stays the same over all attempts.
 */
import { type Static, Type } from 'typebox';
import { webhookEvents } from '../webhooks/events.ts';
import { Alert } from './governor.ts';
import { Count, Id, Nullable, Page, strict, Timestamp, Window } from './primitives.ts';

const fields = {
  title: Type.String({ minLength: 1, maxLength: 100 }),
  /** https; http only to a host that the installation allows by name. No user or password: messages are signed instead. */
  url: Type.String({ minLength: 1, maxLength: 2_000 }),
  events: Type.Array(Type.Enum([...webhookEvents]), {
    minItems: 1,
    maxItems: webhookEvents.length,
    uniqueItems: true,
  }),
  /** While it is off nothing is kept for it. */
  enabled: Type.Boolean(),
};

/** Without `events`: all of them. */
export const CreateWebhook = Type.Object(
  {
    title: fields.title,
    url: fields.url,
    events: Type.Optional(fields.events),
    enabled: Type.Optional(fields.enabled),
  },
  strict,
);
export type CreateWebhook = Static<typeof CreateWebhook>;
/** What is not named stays. What waits is sent to the new address; what waits for one that is switched off is removed. */
export const PatchWebhook = Type.Object(
  {
    title: Type.Optional(fields.title),
    url: Type.Optional(fields.url),
    events: Type.Optional(fields.events),
    enabled: Type.Optional(fields.enabled),
  },
  { ...strict, minProperties: 1 },
);
export type PatchWebhook = Static<typeof PatchWebhook>;

/** The last attempt to deliver anything. */
export const WebhookAttempt = Type.Object(
  {
    messageId: Id,
    event: Type.Enum([...webhookEvents, 'webhook.test']),
    at: Timestamp,
    /** `retrying`: at `nextAttemptAt`, the same message. `given_up`: not any more. */
    outcome: Type.Enum(['delivered', 'retrying', 'given_up']),
    /** 1 for the first. */
    attempt: Type.Integer({ minimum: 1 }),
    /** HTTP status of the answer; null: there was none. */
    status: Nullable(Type.Integer()),
    latencyMs: Type.Integer({ minimum: 0 }),
    /** Why it was not delivered. */
    error: Nullable(Type.String()),
    nextAttemptAt: Nullable(Timestamp),
  },
  strict,
);
export type WebhookAttempt = Static<typeof WebhookAttempt>;

export const Webhook = Type.Object(
  {
    id: Id,
    ...fields,
    /** Without the values of its query and the long parts of its path, where tokens may be. */
    url: Type.String(),
    createdBy: Type.String(),
    createdAt: Timestamp,
    revision: Type.Integer(),
    /** Messages that wait for their first or their next attempt. When it is full the oldest is dropped. */
    queue: Type.Object({ length: Count, limit: Count, oldestAt: Nullable(Timestamp) }, strict),
    /** Messages since it was made. */
    messages: Type.Object({ delivered: Count, givenUp: Count, dropped: Count }, strict),
    /** Null: nothing has been sent yet. */
    lastAttempt: Nullable(WebhookAttempt),
    allowedActions: Type.Array(Type.Enum(['update', 'delete', 'test'])),
  },
  strict,
);
export type Webhook = Static<typeof Webhook>;
/** The only answer that ever holds the secret: `whsec_` and the key of the signature in base64. */
export const CreatedWebhook = Type.Object({ ...Webhook.properties, secret: Type.String() }, strict);
export type CreatedWebhook = Static<typeof CreatedWebhook>;
export const WebhookPage = Page(Webhook);
export type WebhookPage = Static<typeof WebhookPage>;
/** Once it has been tried, the webhook's `lastAttempt` has this `messageId`. */
export const WebhookTest = Type.Object({ messageId: Id }, strict);
export type WebhookTest = Static<typeof WebhookTest>;

/** As it ended, or failed; the rest is at `GET /v1/backfills/{id}`. */
export const EndedBackfill = Type.Object(
  {
    id: Id,
    pipelineId: Id,
    state: Type.Enum(['completed', 'cancelled', 'failed']),
    origin: Type.Enum(['operator', 'automation', 'reconnect']),
    window: Window,
    reason: Nullable(Type.String()),
    createdBy: Type.String(),
    createdAt: Timestamp,
    startedAt: Nullable(Timestamp),
    endedAt: Nullable(Timestamp),
    subwindowsDone: Count,
    subwindowsTotal: Count,
    /** Null: into a store that is not ours. */
    eventsApplied: Nullable(Count),
    eventsDuplicate: Nullable(Count),
    eventsQuarantined: Count,
    verification: Type.String(),
    failure: Nullable(Type.Object({ code: Type.String(), detail: Type.String() }, strict)),
  },
  strict,
);
export type EndedBackfill = Static<typeof EndedBackfill>;

/** The body of a delivery. */
export const WebhookMessage = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    /** The same as `webhook-id`. */
    id: Id,
    /** `/v1/pipelines/{id}`, or the webhook that is tested. */
    source: Type.String(),
    type: Type.Enum([...webhookEvents, 'webhook.test'].map((event) => `spillway.${event}`)),
    /** Id of the alert or the backfill. */
    subject: Id,
    time: Timestamp,
    datacontenttype: Type.Literal('application/json'),
    data: Type.Union([
      Type.Object({ alert: Alert }, strict),
      Type.Object({ backfill: EndedBackfill }, strict),
      Type.Object({ sentBy: Type.String() }, strict),
    ]),
  },
  strict,
);
export type WebhookMessage = Static<typeof WebhookMessage>;
