/** Tokens and webhooks: what may be sent, and how they stand in words. */
import type { Webhook, WebhookAttempt } from '@spillway/shared/api/webhook';
import { describe, expect, test } from 'vitest';
import { expiryOf } from '../../src/features/tokens/model/expiry.ts';
import { emptyToken, tokenBody, tokenProblems } from '../../src/features/tokens/model/token-draft.ts';
import {
  draftOf,
  emptyWebhook,
  webhookBody,
  webhookPatch,
  webhookProblems,
} from '../../src/features/webhooks/model/webhook-draft.ts';
import {
  attemptText,
  deliveryOf,
  eventsText,
  queueText,
  webhookDifferences,
} from '../../src/features/webhooks/model/webhook-words.ts';

const now = Date.UTC(2026, 0, 2, 12);
const at = (secondsFromNow: number) => new Date(now + secondsFromNow * 1_000).toISOString();

describe('tokens', () => {
  test.each([
    [90 * 86_400, 'valid', 'in 90 d'],
    [7 * 86_400 - 1, 'ends_soon', 'in 6 d 23 h'],
    [60, 'ends_soon', 'in 1 min'],
    [0, 'expired', /^expired .* ago$/],
    [-3 * 86_400, 'expired', 'expired 3 d ago'],
  ])('%i s from now', (seconds, state, words) => {
    const expiry = expiryOf(at(seconds), now);
    expect(expiry.state).toBe(state);
    if (typeof words === 'string') expect(expiry.words).toBe(words);
    else expect(expiry.words).toMatch(words);
  });

  test.each([
    [{}, ['name']],
    [{ name: 'ci' }, []],
    [{ name: '  ' }, ['name']],
    [{ name: 'ci', expiresInDays: 0 }, ['expiresInDays']],
    [{ name: 'ci', expiresInDays: 366 }, ['expiresInDays']],
    [{ name: 'ci', expiresInDays: 1.5 }, ['expiresInDays']],
    [{ name: 'ci', expiresInDays: null }, ['expiresInDays']],
    [{ name: 'ci', expiresInDays: 365 }, []],
  ])('%j', (part, wrong) => expect(Object.keys(tokenProblems({ ...emptyToken, ...part }))).toEqual(wrong));

  test('the least right is offered first, and the name goes without its spaces', () => {
    expect(tokenBody({ ...emptyToken, name: ' ci ' })).toEqual({
      name: 'ci',
      role: 'viewer',
      expiresInDays: 90,
    });
  });
});

const webhook: Webhook = {
  id: 'wh_1',
  title: 'Pager',
  url: 'https://pager.example/in/[redacted]',
  events: ['alert.raised', 'backfill.failed'],
  enabled: true,
  createdBy: 'admin',
  createdAt: at(-100),
  revision: 3,
  queue: { length: 0, limit: 1_000, oldestAt: null },
  messages: { delivered: 0, givenUp: 0, dropped: 0 },
  lastAttempt: null,
  allowedActions: ['update', 'delete', 'test'],
};
const attempt: WebhookAttempt = {
  messageId: 'msg_1',
  event: 'alert.raised',
  at: at(-120),
  outcome: 'delivered',
  attempt: 1,
  status: 204,
  latencyMs: 35,
  error: null,
  nextAttemptAt: null,
};

describe('webhooks', () => {
  test.each([
    [{}, true, ['title', 'url']],
    [{ title: 'Pager', url: 'https://x' }, true, []],
    [{ title: 'Pager', url: 'pager.example' }, true, ['url']],
    [{ title: 'Pager', url: 'https://x', events: [] }, true, ['events']],
    [{ title: 'Pager', url: '' }, false, []],
    [{ title: 'Pager', url: 'ftp://x' }, false, ['url']],
  ])('%j', (part, isNew, wrong) =>
    expect(Object.keys(webhookProblems({ ...emptyWebhook, ...part }, isNew))).toEqual(wrong),
  );

  test('a change names only what was changed; an address that was not typed stays', () => {
    const draft = draftOf(webhook);
    expect(webhookPatch(webhook, draft)).toEqual({});
    // In whatever order they were ticked.
    expect(webhookPatch(webhook, { ...draft, events: ['backfill.failed', 'alert.raised'] })).toEqual({});
    expect(webhookPatch(webhook, { ...draft, title: ' Night pager ', enabled: false })).toEqual({
      title: 'Night pager',
      enabled: false,
    });
    expect(webhookPatch(webhook, { ...draft, url: 'https://other.example/' })).toEqual({
      url: 'https://other.example/',
    });
    expect(
      webhookBody({ ...draft, url: 'https://x', events: ['backfill.failed', 'alert.raised'] }).events,
    ).toEqual(['alert.raised', 'backfill.failed']);
  });

  test.each([
    [{}, 'unsent'],
    [{ enabled: false }, 'off'],
    [{ lastAttempt: attempt }, 'delivered'],
    [{ enabled: false, lastAttempt: { ...attempt, outcome: 'given_up' as const } }, 'given_up'],
  ])('%j stands as %s', (part, state) => expect(deliveryOf({ ...webhook, ...part })).toBe(state));

  test.each([
    [{}, 'status 204 in 35 ms, 2 min ago'],
    [{ event: 'webhook.test' as const }, 'a test: status 204 in 35 ms, 2 min ago'],
    [
      { status: null, error: 'the host refused the connection', attempt: 2, nextAttemptAt: at(30) },
      'the host refused the connection, 2 min ago; attempt 2, again in 30 s',
    ],
    [
      { status: 503, error: 'the receiver answered with status 503', nextAttemptAt: at(-1) },
      'the receiver answered with status 503, 2 min ago; attempt 1, again now',
    ],
  ])('%j', (part, text) => expect(attemptText({ ...attempt, ...part }, now)).toBe(text));

  test('what waits and what never arrived is said, and nothing where there is nothing', () => {
    expect(queueText(webhook, now)).toBeNull();
    expect(
      queueText(
        {
          queue: { length: 12, limit: 1_000, oldestAt: at(-3_600) },
          messages: { delivered: 5, givenUp: 2, dropped: 1 },
        },
        now,
      ),
    ).toBe('12 of 1,000 waiting, the oldest for 1 h · 2 given up · 1 dropped from a full queue');
  });

  test('what it is told of', () => {
    expect(eventsText(emptyWebhook.events)).toBe('every alert and every end of a backfill');
    expect(eventsText(webhook.events)).toBe('an alert is raised, a backfill fails');
  });

  test('what somebody else has changed', () => {
    expect(webhookDifferences(webhook, webhook)).toEqual([]);
    expect(webhookDifferences(webhook, { ...webhook, title: 'Other', enabled: false })).toEqual([
      'name: Pager → Other',
      'on → off',
    ]);
  });
});
