/** Deliveries to a real receiver: what arrives, how often, and where nothing is ever sent. */
import type { LookupAddress } from 'node:dns';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import type { CreatedWebhook, Webhook } from '@spillway/shared/api/webhook';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { webhooksSeal } from '../../src/control-plane/access/seal.ts';
import { reviewAlerts } from '../../src/control-plane/alerts/review.ts';
import { resealSecrets } from '../../src/control-plane/webhooks/reseal.ts';
import { createWebhookRunner } from '../../src/control-plane/webhooks/runner.ts';
import {
  adminToken,
  type ControlApp,
  january,
  seedPipeline,
  startControlApp,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { until } from '../fixtures/started-process.ts';
import { isSigned, startWebhookReceiver, taken, type WebhookReceiver } from '../fixtures/webhook-receiver.ts';

/** What names mean, one answer for each look-up; a name that has none left is unknown. */
const names = new Map<string, LookupAddress[][]>();
const asked: string[] = [];
vi.mock('node:dns/promises', () => ({
  lookup: async (name: string) => {
    asked.push(name);
    const answer = names.get(name)?.shift();
    if (answer === undefined) throw Object.assign(new Error(`getaddrinfo ${name}`), { code: 'ENOTFOUND' });
    return answer;
  },
}));
const loopback = { address: '127.0.0.1', family: 4 };

let database: ControlDatabase;
let receiver: WebhookReceiver;
let control: ControlApp;
beforeAll(async () => {
  [database, receiver] = await Promise.all([startControlDatabase(), startWebhookReceiver()]);
  control = await startControlApp(database.url, {
    webhookHosts: [`127.0.0.1:${receiver.port}`, 'named.test'],
  });
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  receiver?.close();
  await database?.end();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = taken;
  names.clear();
  asked.length = 0;
  control.webhooks.start();
});
afterEach(async () => {
  await control.webhooks.stop();
  await control.pool.query('delete from webhooks');
});

const here = (path = '/in') => `http://127.0.0.1:${receiver.port}${path}`;
async function make(body: Partial<CreatedWebhook> = {}): Promise<CreatedWebhook> {
  const answer = await control.ask(adminToken, 'POST', '/v1/webhooks', {
    body: { title: 'Pager', url: here(), ...body },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
}
const read = async (id: string): Promise<Webhook> =>
  (await control.ask(adminToken, 'GET', `/v1/webhooks/${id}`)).json();
const sendTest = async (id: string): Promise<string> => {
  const answer = await control.ask(adminToken, 'POST', `/v1/webhooks/${id}/test`);
  expect(answer.statusCode, answer.body).toBe(202);
  return answer.json().messageId;
};
/** The webhook once its last attempt is that one. */
async function attempted(id: string, is: Partial<NonNullable<Webhook['lastAttempt']>>): Promise<Webhook> {
  let webhook = await read(id);
  await until(
    async () => {
      webhook = await read(id);
      return Object.entries(is).every(
        ([field, value]) => webhook.lastAttempt?.[field as 'outcome'] === value,
      );
    },
    15_000,
    `${JSON.stringify(is)} of ${JSON.stringify(webhook.lastAttempt)}`,
  );
  return webhook;
}
const startBackfill = async (reason: string): Promise<string> => {
  const answer = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body: {
      pipelineId: 'flights',
      window: january,
      subwindow: 'PT1H',
      limits: { eventsPerSecond: 10 },
      reason,
    },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json().id;
};
const cancel = async (id: string) =>
  control.ask(adminToken, 'POST', `/v1/backfills/${id}/cancel`, { body: { reason: 'enough' } });
const wait = (response: ServerResponse) => void response;

test('the end of a backfill arrives, signed, as a CloudEvent', async () => {
  const { id, secret } = await make();
  const backfill = await startBackfill('for the webhook');
  await cancel(backfill);
  await attempted(id, { outcome: 'delivered' });
  const [got, ...more] = receiver.received;
  if (got === undefined) throw new Error('nothing arrived');
  expect(more).toEqual([]);
  expect(got.headers).toMatchObject({
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'webhook-id': got.message.id,
  });
  expect(isSigned(got, secret)).toBe(true);
  expect(isSigned(got, 'whsec_AAAA')).toBe(false);
  expect(Math.abs(Number(got.headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60);
  expect(got.message).toMatchObject({
    specversion: '1.0',
    source: '/v1/pipelines/flights',
    type: 'spillway.backfill.cancelled',
    subject: backfill,
    datacontenttype: 'application/json',
    data: { backfill: { id: backfill, state: 'cancelled', reason: 'for the webhook', startedAt: null } },
  });
  expect(await read(id)).toMatchObject({
    queue: { length: 0 },
    messages: { delivered: 1, givenUp: 0, dropped: 0 },
    lastAttempt: { event: 'backfill.cancelled', attempt: 1, status: 204, error: null, nextAttemptAt: null },
  });
});

test('an alert is told when it is raised and when it is cleared', async () => {
  const { id } = await make({ events: ['alert.raised', 'alert.cleared'] });
  const review = async (seconds: number) => {
    for (let i = 0; i <= seconds; i++) {
      await reviewAlerts(control.ctx, []);
      control.clock.forward(1_000);
    }
  };
  await control.pool.query(
    `update sources set state = 'failed', failure = '{"code":"x","detail":"the file is gone","address":null}' where id = 'east'`,
  );
  await review(3);
  await attempted(id, { event: 'alert.raised', outcome: 'delivered' });
  await control.pool.query(`update sources set state = 'connected', failure = null where id = 'east'`);
  await review(6);
  await attempted(id, { event: 'alert.cleared', outcome: 'delivered' });
  const alerts = receiver.received.map(({ message }) => message);
  expect(alerts).toMatchObject([
    {
      type: 'spillway.alert.raised',
      data: { alert: { code: 'source_failed', subject: 'east', clearedAt: null } },
    },
    {
      type: 'spillway.alert.cleared',
      data: { alert: { code: 'source_failed', clearedAt: expect.any(String) } },
    },
  ]);
  expect(alerts[0]?.subject).toBe(alerts[1]?.subject);
  expect(alerts[0]?.id).not.toBe(alerts[1]?.id);
});

test('what is not taken is sent again under the same id, later and later, until it is taken', async () => {
  const { id, secret } = await make();
  receiver.answer = (response) => void response.writeHead(503).end('busy');
  await cancel(await startBackfill('again'));
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { lastAttempt, queue } = await attempted(id, { outcome: 'retrying', attempt });
    expect(lastAttempt).toMatchObject({ status: 503, error: 'the receiver answered with status 503' });
    expect(Date.parse(lastAttempt?.nextAttemptAt ?? '')).toBeGreaterThan(control.clock.now());
    expect(queue.length).toBe(1);
    if (attempt === 3) receiver.answer = taken;
    control.clock.forward(3 * 60_000);
    control.webhooks.tryNow(id);
  }
  const webhook = await attempted(id, { outcome: 'delivered', attempt: 4 });
  expect(webhook).toMatchObject({ queue: { length: 0 }, messages: { delivered: 1, givenUp: 0 } });
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  expect(receiver.received.every((got) => isSigned(got, secret))).toBe(true);
});

test('after eight attempts it is given up, and counted', async () => {
  const { id } = await make();
  receiver.answer = (response) => void response.destroy();
  await cancel(await startBackfill('in vain'));
  for (let attempt = 1; attempt < 8; attempt++) {
    await attempted(id, { outcome: 'retrying', attempt });
    control.clock.forward(3 * 3_600_000);
    control.webhooks.tryNow(id);
  }
  const webhook = await attempted(id, { outcome: 'given_up', attempt: 8 });
  expect(webhook).toMatchObject({
    queue: { length: 0 },
    messages: { delivered: 0, givenUp: 1 },
    lastAttempt: { status: null, error: 'the connection was closed before the answer', nextAttemptAt: null },
  });
  expect(receiver.received).toHaveLength(8);
});

test('a receiver that hangs holds up nobody else, and no command', async () => {
  receiver.answer = (response, path) => (path === '/hangs' ? wait(response) : taken(response));
  const hanging = await make({ url: here('/hangs') });
  const well = await make({ url: here('/well') });
  await cancel(await startBackfill('one'));
  await until(() => receiver.received.some(({ path }) => path === '/hangs'), 10_000, 'it is asked');
  const beganMs = performance.now();
  await cancel(await startBackfill('two'));
  expect(performance.now() - beganMs).toBeLessThan(5_000);
  await until(
    () => receiver.received.filter(({ path }) => path === '/well').length === 2,
    10_000,
    'the other has both',
  );
  // One at a time.
  expect(receiver.received.filter(({ path }) => path === '/hangs')).toHaveLength(1);
  expect((await read(hanging.id)).queue.length).toBe(2);
  expect((await attempted(well.id, { outcome: 'delivered' })).queue.length).toBe(0);
});

test('what was on its way when the process ended is sent again, under the same id', async () => {
  const { id, secret } = await make();
  receiver.answer = wait;
  await cancel(await startBackfill('cut off'));
  await until(() => receiver.received.length === 1, 10_000, 'it is asked');
  await control.webhooks.stop();
  expect(await read(id)).toMatchObject({ queue: { length: 1 }, lastAttempt: null });
  receiver.answer = taken;
  control.webhooks.start();
  await attempted(id, { outcome: 'delivered', attempt: 1 });
  const [first, second] = receiver.received;
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(second !== undefined && isSigned(second, secret)).toBe(true);
});

test('a test goes the same way, once, also to one that is off', async () => {
  const { id, secret } = await make({ enabled: false });
  const messageId = await sendTest(id);
  await attempted(id, { messageId, outcome: 'delivered' });
  expect(receiver.received[0]?.message).toMatchObject({
    type: 'spillway.webhook.test',
    source: `/v1/webhooks/${id}`,
    data: { sentBy: 'admin' },
  });
  expect(receiver.received.every((got) => isSigned(got, secret))).toBe(true);
  receiver.answer = (response) => void response.writeHead(401).end();
  const failing = await sendTest(id);
  expect(await attempted(id, { messageId: failing })).toMatchObject({
    queue: { length: 0 },
    lastAttempt: { outcome: 'given_up', status: 401, error: 'the receiver answered with status 401' },
  });
});

test('a redirect is not followed: nobody is asked where it points', async () => {
  const { id } = await make({ url: here('/moved') });
  receiver.answer = (response, path) =>
    void (path === '/moved'
      ? response.writeHead(307, { location: here('/elsewhere') }).end()
      : taken(response));
  const messageId = await sendTest(id);
  expect((await attempted(id, { messageId })).lastAttempt).toMatchObject({
    outcome: 'given_up',
    status: 307,
    error: 'the answer is a redirect (307): redirects are not followed',
  });
  expect(receiver.received.map(({ path }) => path)).toEqual(['/moved']);
});

test.each([
  ['private', [{ address: '10.0.0.5', family: 4 }], /SPILLWAY_WEBHOOK_HOSTS/],
  ['loopback', [loopback], /SPILLWAY_WEBHOOK_HOSTS/],
  [
    'private among public ones',
    [{ address: '93.184.216.34', family: 4 }, loopback],
    /SPILLWAY_WEBHOOK_HOSTS/,
  ],
  ['loopback inside IPv6', [{ address: '::ffff:127.0.0.1', family: 6 }], /SPILLWAY_WEBHOOK_HOSTS/],
  ['link-local', [{ address: '169.254.169.254', family: 4 }], /link-local/],
])('a name that means a %s address is refused when it is sent to', async (_, addresses, why) => {
  names.set('innocent.test', [addresses]);
  const { id } = await make({ url: `https://innocent.test:${receiver.port}/in` });
  const messageId = await sendTest(id);
  const { lastAttempt } = await attempted(id, { messageId });
  expect(lastAttempt).toMatchObject({ outcome: 'given_up', status: null });
  expect(lastAttempt?.error).toMatch(why);
  expect(receiver.received).toEqual([]);
});

test.each([
  ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
  ['speaks no HTTP', 'hello\r\n\r\n'],
  ['hints and hangs up', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ['says nothing', ''],
])('a receiver that %s has failed, and holds up nothing', async (_, answer) => {
  const odd = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((done) => odd.listen(0, '127.0.0.1', done));
  try {
    names.set('named.test', [[loopback], [loopback]]);
    const { id } = await make({ url: `http://named.test:${(odd.address() as AddressInfo).port}/` });
    const first = await sendTest(id);
    const { lastAttempt } = await attempted(id, { messageId: first, outcome: 'given_up', status: null });
    expect(lastAttempt?.error).not.toBeNull();
    const second = await sendTest(id);
    await attempted(id, { messageId: second, outcome: 'given_up' });
  } finally {
    odd.close();
  }
});

test('a name is looked up once for an attempt: what it means a moment later does not matter', async () => {
  names.set('named.test', [[loopback], [{ address: '169.254.169.254', family: 4 }]]);
  const { id } = await make({ url: `http://named.test:${receiver.port}/in` });
  await attempted(id, { messageId: await sendTest(id), outcome: 'delivered' });
  expect(asked).toEqual(['named.test']);
  expect(receiver.received[0]?.headers.host).toBe(`named.test:${receiver.port}`);
  // The next attempt looks anew, and is refused where it leads: naming a host opens no way to link-local addresses.
  const again = await attempted(id, { messageId: await sendTest(id) });
  expect(again.lastAttempt?.error).toMatch(/link-local/);
  expect(receiver.received).toHaveLength(1);
});

test('a secret kept under an earlier admin token signs nothing, and says so', async () => {
  const { id } = await make();
  await control.webhooks.stop();
  const later = createWebhookRunner(control.ctx, {
    seal: webhooksSeal('another-admin-token-0123456789abcdef'),
    named: [`127.0.0.1:${receiver.port}`],
  });
  later.start();
  const messageId = await sendTest(id);
  later.tryNow(id);
  const { lastAttempt } = await attempted(id, { messageId });
  await later.stop();
  expect(lastAttempt?.error).toMatch(/earlier admin token/);
  expect(receiver.received).toEqual([]);
});

test('after the admin token has been replaced, messages are signed with the same secret', async () => {
  const { id, secret } = await make();
  await control.webhooks.stop();
  const another = webhooksSeal('another-admin-token-0123456789abcdef');
  const reseal = (earlier: string) => resealSecrets(control.ctx.database, webhooksSeal(earlier), another);
  expect(await reseal('nobodys-admin-token-0123456789abcdef')).toBe(0);
  expect([await reseal(adminToken), await reseal(adminToken)]).toEqual([1, 0]);
  const later = createWebhookRunner(control.ctx, {
    seal: another,
    named: [`127.0.0.1:${receiver.port}`],
  });
  later.start();
  const messageId = await sendTest(id);
  later.tryNow(id);
  await attempted(id, { messageId, outcome: 'delivered' });
  await later.stop();
  expect(receiver.received.map((one) => isSigned(one, secret))).toEqual([true]);
});

test('neither address nor secret are in the log, whatever went wrong', async () => {
  const canary = 'canary0secret0123456789abcdef';
  receiver.answer = (response) => void response.writeHead(500).end(canary);
  const { id, secret } = await make({ url: here(`/${canary}?key=${canary}`) });
  await attempted(id, { messageId: await sendTest(id), outcome: 'given_up' });
  expect(receiver.received).toHaveLength(1);
  const told = control.logged.join();
  expect(told).toContain('a webhook cannot be delivered');
  for (const planted of [canary, secret, secret.slice('whsec_'.length)]) {
    expect(told.includes(planted)).toBe(false);
    expect(JSON.stringify(await read(id)).includes(planted)).toBe(false);
  }
});
