/** Webhooks as they are defined over HTTP: what is kept, what is shown, what is refused, and who may. */
import type { CreatedWebhook, Webhook } from '@spillway/shared/api/webhook';
import { webhookEvents } from '@spillway/shared/webhooks/events';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { unitOfWork } from '../../src/control-plane/database/database.ts';
import { QUEUE_MAX, tellWebhooks } from '../../src/control-plane/webhooks/enqueue.ts';
import { newsOfTest } from '../../src/control-plane/webhooks/news.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;
beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url, { webhookHosts: ['127.0.0.1'] });
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});
afterEach(() => control.pool.query('delete from webhooks'));

const canary = 'canary0secret0123456789abcdef';
const body = { title: 'Pager', url: 'https://pager.example/in' };
const post = (given: unknown = body, headers: Record<string, string> = {}) =>
  control.ask(adminToken, 'POST', '/v1/webhooks', { body: given, headers });
const make = async (given: unknown = body): Promise<CreatedWebhook> => {
  const answer = await post(given);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
};
const patch = (id: string, given: unknown, ifMatch: string | null) =>
  control.ask(adminToken, 'PATCH', `/v1/webhooks/${id}`, {
    body: given,
    headers: ifMatch === null ? {} : { 'if-match': ifMatch },
  });
const read = async (id: string): Promise<Webhook> =>
  (await control.ask(adminToken, 'GET', `/v1/webhooks/${id}`)).json();
const rows = async (table: string) => (await control.pool.query(`select * from ${table}`)).rows;
const news = newsOfTest('anything', 'somebody', 0);
const tell = (events: number) =>
  unitOfWork(control.ctx.database, ({ tx }) =>
    tellWebhooks(
      tx,
      Array.from({ length: events }, (_, i) => ({
        ...news,
        event: 'alert.raised' as const,
        subject: `al_${i}`,
      })),
    ),
  );

test('one is made, read, listed, changed and removed; its secret is in the first answer alone', async () => {
  const { secret, ...made } = await make();
  expect(secret).toMatch(/^whsec_/);
  expect(made).toEqual({
    id: expect.stringMatching(/^wh_/),
    title: 'Pager',
    url: 'https://pager.example/in',
    events: [...webhookEvents],
    enabled: true,
    createdBy: 'admin',
    createdAt: expect.any(String),
    revision: 1,
    queue: { length: 0, limit: QUEUE_MAX, oldestAt: null },
    messages: { delivered: 0, givenUp: 0, dropped: 0 },
    lastAttempt: null,
    allowedActions: ['update', 'delete', 'test'],
  });
  const one = await control.ask(adminToken, 'GET', `/v1/webhooks/${made.id}`);
  expect(one.json()).toEqual(made);
  expect((await control.ask(adminToken, 'GET', '/v1/webhooks')).json()).toEqual({
    items: [made],
    nextCursor: null,
  });

  const changed = await patch(
    made.id,
    { events: ['alert.raised'], enabled: false },
    String(one.headers['etag']),
  );
  expect(changed.statusCode, changed.body).toBe(200);
  expect(changed.json()).toEqual({ ...made, events: ['alert.raised'], enabled: false, revision: 2 });
  expect(changed.headers['etag']).toBe('"2"');

  expect((await control.ask(adminToken, 'DELETE', `/v1/webhooks/${made.id}`)).statusCode).toBe(204);
  for (const method of ['GET', 'DELETE'] as const) {
    const gone = await control.ask(adminToken, method, `/v1/webhooks/${made.id}`);
    expect([gone.statusCode, gone.json().code]).toEqual([404, 'not_found']);
  }
});

test('a change needs the revision it was made on; a stale one is told what stands now', async () => {
  const { id } = await make();
  const without = await patch(id, { title: 'A' }, null);
  expect([without.statusCode, without.json().code]).toEqual([428, 'precondition_required']);
  expect((await patch(id, { title: 'A' }, '"1"')).statusCode).toBe(200);
  const stale = await patch(id, { title: 'B' }, '"1"');
  expect(stale.statusCode).toBe(412);
  expect(stale.json()).toMatchObject({ code: 'stale_revision', current: { id, title: 'A', revision: 2 } });
  expect((await read(id)).title).toBe('A');
});

test('the same key makes one, and shows the same secret; it is not kept in the open', async () => {
  const headers = { 'idempotency-key': 'webhook-once' };
  const [first, again] = [await post(body, headers), await post(body, headers)];
  expect(again.json()).toEqual(first.json());
  expect(await rows('webhooks')).toHaveLength(1);
  expect(JSON.stringify(await rows('idempotency_keys'))).not.toContain(first.json().secret);
  const other = await post({ ...body, title: 'Other' }, headers);
  expect([other.statusCode, other.json().code]).toEqual([422, 'idempotency_key_reused']);
});

const invalid: [string, unknown, number, string, string][] = [
  ['no address', { title: 'x' }, 400, 'invalid_request', '/url'],
  ['no name', { ...body, title: '' }, 400, 'invalid_request', '/title'],
  ['an unknown field', { ...body, secret: canary }, 400, 'invalid_request', '/secret'],
  ['an unknown event', { ...body, events: ['alert.painted'] }, 400, 'invalid_request', '/events/0'],
  ['no event', { ...body, events: [] }, 400, 'invalid_request', '/events'],
  [
    'an event twice',
    { ...body, events: ['alert.raised', 'alert.raised'] },
    400,
    'invalid_request',
    '/events',
  ],
  ['NUL', { ...body, title: 'a\0b' }, 400, 'invalid_request', '/title'],
  ['an address that is none', { ...body, url: canary }, 422, 'invalid_webhook', '/url'],
  ['another scheme', { ...body, url: `ftp://x/${canary}` }, 422, 'invalid_webhook', '/url'],
  ['no TLS on the way out', { ...body, url: 'http://pager.example/' }, 422, 'invalid_webhook', '/url'],
  ['credentials', { ...body, url: `https://ada:${canary}@pager.example/` }, 422, 'invalid_webhook', '/url'],
  ['a private address', { ...body, url: 'https://10.0.0.7/' }, 422, 'invalid_webhook', '/url'],
  [
    'a loopback address that is not named',
    { ...body, url: 'https://[::1]/' },
    422,
    'invalid_webhook',
    '/url',
  ],
  ['a link-local address', { ...body, url: 'https://169.254.169.254/' }, 422, 'invalid_webhook', '/url'],
];
test.each(invalid)('%s is refused and changes nothing', async (_, given, status, code, pointer) => {
  const audited = (await rows('audit')).length;
  const answer = await post(given);
  expect([answer.statusCode, answer.json().code], answer.body).toEqual([status, code]);
  expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  expect(answer.body).not.toContain(canary);
  expect(await rows('webhooks')).toEqual([]);
  expect((await rows('audit')).length).toBe(audited);
});

test('a change is held to the same rules, and an empty one is none', async () => {
  const { id } = await make();
  const refused = await patch(id, { url: 'https://192.168.0.1/' }, '"1"');
  expect([refused.statusCode, refused.json().code, refused.json().errors[0].pointer]).toEqual([
    422,
    'invalid_webhook',
    '/url',
  ]);
  expect((await patch(id, {}, '"1"')).statusCode).toBe(400);
  expect(await read(id)).toMatchObject({ revision: 1, url: body.url });
});

test('at most twenty, also when the last two come together', async () => {
  for (let i = 0; i < 19; i++) await make();
  const last = await Promise.all([post(), post()]);
  expect(last.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 422]);
  expect(await rows('webhooks')).toHaveLength(20);
});

test('listed in pages, each once', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push((await make({ ...body, title: `w${i}` })).id);
  const listed: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = (
      await control.ask(adminToken, 'GET', `/v1/webhooks?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    ).json() as { items: Webhook[]; nextCursor: string | null };
    listed.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(listed.toSorted()).toEqual(ids.toSorted());
});

test('a full queue drops its oldest and counts them', async () => {
  const { id } = await make();
  await tell(QUEUE_MAX);
  expect((await read(id)).queue.length).toBe(QUEUE_MAX);
  await tell(3);
  expect(await read(id)).toMatchObject({ queue: { length: QUEUE_MAX }, messages: { dropped: 3 } });
  const [oldest] = (await control.pool.query('select body from webhook_messages order by ordinal limit 1'))
    .rows;
  expect(JSON.parse(oldest.body).subject).toBe('al_3');
  const metrics = (await control.ask(adminToken, 'GET', '/metrics')).body;
  expect(metrics).toContain(`spillway_webhook_queue_length{webhook="${id}"} ${QUEUE_MAX}`);
  expect(metrics).toContain(`spillway_webhook_messages_total{webhook="${id}",outcome="dropped"} 3`);
});

test('however much there is to tell to however many, it is told', async () => {
  for (let index = 0; index < 12; index++) await make();
  await tell(1_500);
  const { rows: queues } = await control.pool.query(
    'select count(*)::int as length from webhook_messages group by webhook_id',
  );
  expect(queues).toEqual(Array.from({ length: 12 }, () => ({ length: QUEUE_MAX })));
});

test('metrics count once, whoever asks at the same time, and come without those of the database while it is silent', async () => {
  const { id } = await make();
  await control.pool.query('update webhooks set dropped = 3');
  const metrics = async () => (await control.ask(adminToken, 'GET', '/metrics')).body;
  const dropped = `spillway_webhook_messages_total{webhook="${id}",outcome="dropped"} 3`;
  for (const body of await Promise.all([metrics(), metrics(), metrics()])) expect(body).toContain(dropped);

  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  // An open transaction of the embedded database holds up everybody.
  const held = control.ctx.database.transaction(async (tx) => {
    await tx.execute(sql`select 1`);
    await over;
  });
  try {
    const body = await metrics();
    expect(body).toContain('spillway_http_request_duration_seconds');
    expect(body).not.toContain(dropped);
  } finally {
    end();
    await held;
  }
  expect(await metrics()).toContain(dropped);
});

test('nothing is kept for one that is off or does not want it; what waited when it was switched off is gone', async () => {
  const all = await make();
  const off = await make({ ...body, enabled: false });
  const other = await make({ ...body, events: ['backfill.failed'] });
  await tell(2);
  const lengths = async () =>
    Promise.all([all, off, other].map(async ({ id }) => (await read(id)).queue.length));
  expect(await lengths()).toEqual([2, 0, 0]);
  await patch(all.id, { enabled: false }, '"1"');
  expect(await lengths()).toEqual([0, 0, 0]);
});

test('what is planted in an address or a name is found nowhere but in the address that is asked; the secret nowhere', async () => {
  const { id, secret } = await make({
    title: `Pager with bearer ${canary}`,
    url: `https://pager.example/in/${canary}?token=${canary}`,
  });
  const answers = [
    (await control.ask(adminToken, 'GET', '/v1/webhooks')).body,
    (await control.ask(adminToken, 'GET', `/v1/webhooks/${id}`)).body,
    (await patch(id, { title: 'Pager' }, '"1"')).body,
    (await patch(id, { title: `again ${secret}` }, '"2"')).body,
    (await patch(id, { title: 'stale' }, '"1"')).body,
    (await control.ask(adminToken, 'POST', `/v1/webhooks/${id}/test`, { body: {} })).body,
    (await control.ask(adminToken, 'GET', '/v1/audit')).body,
    (await control.ask(adminToken, 'GET', '/metrics')).body,
  ].join();
  expect((await control.ask(adminToken, 'DELETE', `/v1/webhooks/${id}`)).statusCode).toBe(204);
  const made = await make({ ...body, url: `https://pager.example/in/${canary}` });
  const [kept] = await rows('webhooks');
  expect(kept.url).toContain(canary);
  const { url: _, ...restOfRow } = kept;
  const places = {
    answers,
    row: JSON.stringify(restOfRow),
    audit: JSON.stringify(await rows('audit')),
    keys: JSON.stringify(await rows('idempotency_keys')),
    messages: JSON.stringify(await rows('webhook_messages')),
    log: control.logged.join(),
  };
  for (const [where, text] of Object.entries(places))
    for (const planted of [canary, secret, made.secret, secret.slice('whsec_'.length)])
      expect(text.includes(planted), `${planted} in ${where}`).toBe(false);
});

test('the audit tells of every step, without what may be a token', async () => {
  const { id } = await make({ ...body, url: `https://pager.example/in/${canary}` });
  await patch(id, { title: 'Night pager' }, '"1"');
  const test_ = await control.ask(adminToken, 'POST', `/v1/webhooks/${id}/test`, { body: {} });
  expect(test_.statusCode).toBe(202);
  await control.ask(adminToken, 'DELETE', `/v1/webhooks/${id}`);
  const url = 'https://pager.example/in/[redacted]';
  expect((await control.ask(adminToken, 'GET', `/v1/audit?target=${id}`)).json().items).toMatchObject([
    { action: 'webhook.delete', before: { title: 'Night pager', url }, after: null },
    { action: 'webhook.test', before: null, after: test_.json() },
    { action: 'webhook.update', before: { title: 'Pager' }, after: { title: 'Night pager' } },
    { action: 'webhook.create', before: null, after: { title: 'Pager', url, enabled: true } },
  ]);
});

test('that messages go elsewhere is in the audit, also where what differs is not shown', async () => {
  const { id } = await make({ ...body, url: `https://pager.example/in/${canary}` });
  await patch(id, { url: `https://pager.example/in/another-${canary}` }, '"1"');
  const [update] = (await control.ask(adminToken, 'GET', `/v1/audit?target=${id}`)).json().items;
  expect([update.before.url, update.after.url]).toEqual([
    'https://pager.example/in/[redacted]',
    'https://pager.example/in/[redacted] (another one)',
  ]);
});
