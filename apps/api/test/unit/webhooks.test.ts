/** The deciding parts of webhooks: where they may go, what is signed, how long a message is tried, what is shown. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactText } from '../../src/control-plane/access/redaction.ts';
import { newWebhookSecret } from '../../src/control-plane/access/secrets.ts';
import type { BackfillRow } from '../../src/control-plane/backfill/transition.ts';
import { isPublic } from '../../src/control-plane/outbound/address.ts';
import { shownWebhookUrl } from '../../src/control-plane/outbound/shown-url.ts';
import { complaintsAbout } from '../../src/control-plane/webhooks/definition-check.ts';
import { guardOf } from '../../src/control-plane/webhooks/guard.ts';
import { newsOfBackfill } from '../../src/control-plane/webhooks/news.ts';
import {
  ATTEMPTS_MAX,
  MESSAGE_AGE_MAX_MS,
  nextAttemptMs,
  restMs,
} from '../../src/control-plane/webhooks/retry.ts';
import { signedHeaders } from '../../src/control-plane/webhooks/signature.ts';

describe('public addresses', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '192.169.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('%s is one', (address) => expect(isPublic(address)).toBe(true));
  test.each([
    ['loopback', '127.0.0.1'],
    ['loopback, another', '127.255.255.254'],
    ['this network', '0.0.0.0'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['shared by carriers', '100.64.0.1'],
    ['link-local', '169.254.169.254'],
    ['documentation', '203.0.113.7'],
    ['benchmarks', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['loopback', '::1'],
    ['unspecified', '::'],
    ['unique local', 'fd00::1'],
    ['unique local', 'fc00::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['a loopback inside IPv6', '::ffff:127.0.0.1'],
    ['a private one inside IPv6', '::ffff:10.0.0.1'],
    ['a loopback in the old form', '::127.0.0.1'],
    ['NAT64, which leads anywhere', '64:ff9b::7f00:1'],
    ['6to4, which leads anywhere', '2002:7f00:1::1'],
    ['Teredo, which leads anywhere', '2001::1'],
    ['documentation', '2001:db8::1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('%s (%s) is none', (_, address) => expect(isPublic(address)).toBe(false));

  test('inside IPv6 an IPv4 address is what it is', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublic(`::ffff:${address}`)).toBe(isPublic(address));
      }),
    );
  });
});

describe('where a webhook may go', () => {
  const named = ['hooks.internal', '127.0.0.1:9000', '[::1]'];
  test.each([
    ['https://example.com/hook', null],
    ['https://8.8.8.8/hook', null],
    // What a name means is seen at each attempt.
    ['https://localhost/hook', null],
    ['http://hooks.internal/x', null],
    ['http://hooks.internal:8080/x', null],
    ['http://HOOKS.internal/x', null],
    ['http://127.0.0.1:9000/x', null],
    ['http://[::1]:1/x', null],
    ['http://example.com/hook', /https/],
    ['http://127.0.0.1:9001/x', /SPILLWAY_WEBHOOK_HOSTS/],
    ['https://127.0.0.1/x', /SPILLWAY_WEBHOOK_HOSTS/],
    // The same address, written so that it does not look like it.
    ['https://2130706433/x', /SPILLWAY_WEBHOOK_HOSTS/],
    ['https://0x7f.1/x', /SPILLWAY_WEBHOOK_HOSTS/],
    ['https://[::ffff:127.0.0.1]/x', /SPILLWAY_WEBHOOK_HOSTS/],
    ['https://10.1.2.3/x', /SPILLWAY_WEBHOOK_HOSTS/],
    ['https://169.254.169.254/x', /link-local/],
    ['https://[fe80::1]/x', /link-local/],
    ['https://ada:pass@example.com/', /user and password/],
    ['https://ada@example.com/', /user and password/],
    ['ftp://example.com/', /https/],
    ['file:///etc/passwd', /https/],
    ['nowhere', /not a URL/],
  ])('%s', (url, complaint) => {
    const complaints = complaintsAbout({ url }, named);
    if (complaint === null) expect(complaints).toEqual([]);
    else expect(complaints).toEqual([{ pointer: '/url', detail: expect.stringMatching(complaint) }]);
  });

  test('a change that names no address is not about one', () => {
    expect(complaintsAbout({}, [])).toEqual([]);
  });

  test('a host that is named may be private, and never link-local', () => {
    const { refuse } = guardOf(new URL('http://hooks.internal/'), named);
    expect(refuse('10.0.0.1')).toBeNull();
    expect(refuse('127.0.0.1')).toBeNull();
    expect(refuse('169.254.169.254')).toMatch(/link-local/);
    expect(refuse('::ffff:169.254.169.254')).toMatch(/link-local/);
    expect(guardOf(new URL('http://hooks.example/'), named).refuse('10.0.0.1')).toMatch(/does not name/);
    expect(guardOf(new URL('http://127.0.0.1:9001/'), named).refuse('127.0.0.1')).toMatch(/does not name/);
  });
});

test('signed as the reference of Standard Webhooks signs it', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' };
  expect(signedHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', message, 1_614_265_330_999)).toEqual({
    'webhook-id': message.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

describe('trying again', () => {
  test('a message is tried eight times in about four hours, each time later, and then not any more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 10, maxLength: 10 }),
        (chances) => {
          let nowMs = 0;
          let lastWaitMs = 0;
          let attempts = 0;
          for (;;) {
            attempts += 1;
            const next = nextAttemptMs({ attempts, createdAtMs: 0 }, nowMs, chances[attempts] ?? 0);
            if (next === null) break;
            expect(next - nowMs).toBeGreaterThan(lastWaitMs);
            lastWaitMs = next - nowMs;
            nowMs = next;
          }
          expect(attempts).toBe(ATTEMPTS_MAX);
          expect(nowMs).toBeGreaterThan(3 * 3_600_000);
          expect(nowMs).toBeLessThan(4.5 * 3_600_000);
        },
      ),
    );
  });

  test('what is a day old is not tried again, however seldom it was tried', () => {
    const message = { attempts: 1, createdAtMs: 0 };
    expect(nextAttemptMs(message, MESSAGE_AGE_MAX_MS - 60_000, 0.5)).not.toBeNull();
    expect(nextAttemptMs(message, MESSAGE_AGE_MAX_MS, 0.5)).toBeNull();
  });

  test.each([
    [0, 0],
    [1, 1_000],
    [2, 2_000],
    [4, 8_000],
    [7, 60_000],
    [10_000, 60_000],
  ])('after %i failures in a row a receiver is left alone for %i ms', (failures, ms) => {
    expect(restMs(failures)).toBe(ms);
  });
});

describe('what is shown of an address', () => {
  test.each([
    ['https://example.com/hook', 'https://example.com/hook'],
    ['https://example.com:8443/a/b', 'https://example.com:8443/a/b'],
    [
      'https://example.com/services/T0000/B0000/abcdefghijklmnopqrstuvwx',
      'https://example.com/services/T0000/B0000/[redacted]',
    ],
    ['https://example.com/h?token=abc&b=c#frag', 'https://example.com/h?token=[redacted]&b=[redacted]'],
    ['https://example.com/h?hunter2', 'https://example.com/h?[redacted]'],
    ['https://example.com/h?a=b&hunter2=', 'https://example.com/h?a=[redacted]&[redacted]'],
    ['https://example.com/h?abcdefghijklmnop=b', 'https://example.com/h?[redacted]'],
    ['https://ada:pass@example.com/', 'https://example.com/'],
    ['nowhere', '[redacted]'],
  ])('%s', (url, shown) => expect(shownWebhookUrl(url)).toBe(shown));

  test('a token of sixteen characters and more is never part of it', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9_-]{16,64}$/);
    fc.assert(
      fc.property(token, token, (inPath, inQuery) => {
        const shown = shownWebhookUrl(`https://example.com/in/${inPath}/x?k=${inQuery}`);
        expect(shown).toBe('https://example.com/in/[redacted]/x?k=[redacted]');
      }),
    );
  });
});

test('a secret that gets into a text is taken out of it', () => {
  const secret = newWebhookSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(redactText(`the secret ${secret}, said aloud`)).toBe('the secret whsec_[redacted], said aloud');
});

describe('the end of a backfill', () => {
  const row = {
    id: 'bf_1',
    pipelineId: 'flights',
    origin: 'operator',
    windowFrom: Date.UTC(2001, 0, 1),
    windowTo: Date.UTC(2001, 0, 2),
    createdAt: new Date('2026-01-01T00:00:00Z'),
    startedAt: null,
    failure: null,
  } as BackfillRow;
  test.each(['completed', 'cancelled', 'failed'] as const)('%s is told', (state) => {
    const news = newsOfBackfill({ ...row, state, endedAt: new Date('2026-01-02T00:00:00Z') }, false);
    expect(news).toMatchObject({
      event: `backfill.${state}`,
      source: '/v1/pipelines/flights',
      subject: 'bf_1',
      time: '2026-01-02T00:00:00.000Z',
      data: { backfill: { id: 'bf_1', state } },
    });
  });
  test.each(['queued', 'running', 'pausing', 'paused', 'verifying', 'cancelling'] as const)(
    '%s is none',
    (state) => expect(newsOfBackfill({ ...row, state, endedAt: null }, false)).toBeNull(),
  );
});
