/** Probes as they are defined over HTTP: what is kept, what is shown, what is refused, and who is told. */
import type { Probe } from '@spillway/shared/api/governor';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;
let reload: { mock: { calls: unknown[] } };

beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url);
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});
beforeEach(() => {
  reload = vi.spyOn(control.ctx.probes, 'reload');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await control.pool.query('delete from probes');
});

const place = '/v1/pipelines/flights/probes';
const secret = 'canary0secret0123456789abcdef';
const http = {
  title: 'Length of the queue',
  kind: 'http_json',
  url: `http://ada:${secret}@127.0.0.1:9/queue?access_token=${secret}`,
  pointer: '/length',
  target: 10,
  worseWhen: 'above',
  failMode: 'bad',
  intervalMs: 5_000,
  timeoutMs: 1_000,
};
const { pointer: _, ...asked } = http;
const sql = {
  ...asked,
  kind: 'sql',
  url: `postgres://ada:${secret}@127.0.0.1:1/db?password=${secret}`,
  query: 'select 1',
};
const promql = { ...asked, kind: 'promql', url: 'http://127.0.0.1:9090/', query: 'up' };
const post = (body: unknown, headers: Record<string, string> = {}, url = place) =>
  control.ask(adminToken, 'POST', url, { body, headers });
const rows = async (table: string) => (await control.pool.query(`select * from ${table}`)).rows;

test('one is made, listed and removed; the runner is told of both', async () => {
  const made = await post(http);
  expect(made.statusCode, made.body).toBe(201);
  const { kind: __, ...rest } = http;
  expect(made.json()).toEqual({
    ...rest,
    id: expect.stringMatching(/^pr_/),
    pipelineId: 'flights',
    kind: 'http_json',
    url: 'http://127.0.0.1:9/queue?access_token=[redacted]',
    query: null,
    createdBy: expect.any(String),
    createdAt: expect.any(String),
  });
  expect((await control.ask(adminToken, 'GET', place)).json()).toEqual({
    items: [made.json()],
    nextCursor: null,
  });
  expect(reload.mock.calls).toHaveLength(1);
  // What will be asked is what was given.
  expect((await rows('probes'))[0].url).toBe(http.url);

  const one = `${place}/${made.json().id}`;
  expect((await control.ask(adminToken, 'DELETE', one)).statusCode).toBe(204);
  expect((await control.ask(adminToken, 'GET', place)).json().items).toEqual([]);
  expect(reload.mock.calls).toHaveLength(2);
  const again = await control.ask(adminToken, 'DELETE', one);
  expect([again.statusCode, again.json().code]).toEqual([404, 'not_found']);
});

test('the audit tells of both, without credentials', async () => {
  const { id } = (await post(sql)).json() as Probe;
  await control.ask(adminToken, 'DELETE', `${place}/${id}`);
  const audit = (await control.ask(adminToken, 'GET', `/v1/audit?target=${id}`)).json().items;
  expect(audit).toMatchObject([
    { action: 'probe.delete', before: { url: 'postgres://127.0.0.1:1/db?password=[redacted]' }, after: null },
    { action: 'probe.create', before: null, after: { kind: 'sql', query: 'select 1' } },
  ]);
});

test('the same key makes one, and the second answer is the first', async () => {
  const headers = { 'idempotency-key': 'probe-once' };
  const [first, again] = [await post(promql, headers), await post(promql, headers)];
  expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
  expect(again.json()).toEqual(first.json());
  expect(await rows('probes')).toHaveLength(1);
  const other = await post({ ...promql, query: 'down' }, headers);
  expect([other.statusCode, other.json().code]).toEqual([422, 'idempotency_key_reused']);
});

test('listed in pages, each once', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push((await post({ ...promql, title: `p${i}` })).json().id);
  const listed: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = (
      await control.ask(adminToken, 'GET', `${place}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    ).json() as { items: Probe[]; nextCursor: string | null };
    listed.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(listed.toSorted()).toEqual(ids.toSorted());
  expect(new Set(listed).size).toBe(5);
});

const invalid: [string, unknown, number, string, string][] = [
  ['sql without a query', { ...sql, query: undefined }, 422, 'invalid_probe', '/query'],
  ['promql with null for a query', { ...promql, query: null }, 422, 'invalid_probe', '/query'],
  ['http_json without a pointer', { ...asked }, 422, 'invalid_probe', '/pointer'],
  ['a timeout longer than the interval', { ...http, timeoutMs: 6_000 }, 422, 'invalid_probe', '/timeoutMs'],
  ['a url of the wrong scheme', { ...http, url: `ftp://${secret}@h/` }, 422, 'invalid_probe', '/url'],
  ['a url that is none', { ...http, url: secret }, 422, 'invalid_probe', '/url'],
  ['a link-local url', { ...http, url: 'http://169.254.169.254/' }, 422, 'invalid_probe', '/url'],
  ['a target of zero', { ...http, target: 0 }, 400, 'invalid_request', '/target'],
  ['a negative target', { ...http, target: -5 }, 400, 'invalid_request', '/target'],
  ['text for a target', { ...http, target: '5' }, 400, 'invalid_request', '/target'],
  ['an unknown field', { ...http, password: secret }, 400, 'invalid_request', '/password'],
  ['an unknown kind', { ...http, kind: 'shell' }, 400, 'invalid_request', '/kind'],
  ['an interval below a second', { ...http, intervalMs: 999 }, 400, 'invalid_request', '/intervalMs'],
  ['no title', { ...http, title: '' }, 400, 'invalid_request', '/title'],
];
test.each(invalid)('%s is refused and changes nothing', async (_, body, status, code, pointer) => {
  const before = (await rows('audit')).length;
  const answer = await post(body);
  expect([answer.statusCode, answer.json().code], answer.body).toEqual([status, code]);
  expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  expect(answer.body).not.toContain(secret);
  expect(await rows('probes')).toEqual([]);
  expect((await rows('audit')).length).toBe(before);
  expect(reload.mock.calls).toHaveLength(0);
});

test.each([
  ['NaN', '{"target":NaN}', 'malformed_json'],
  [
    'a number beyond all',
    JSON.stringify({ ...http, target: 1 }).replace('"target":1', '"target":1e999'),
    'invalid_request',
  ],
])('%s is refused', async (_, payload, code) => {
  const answer = await control.app.inject({
    method: 'POST',
    url: place,
    headers: { host: 'localhost', authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    payload,
  });
  expect([answer.statusCode, answer.json().code], answer.body).toEqual([400, code]);
});

test('at most 32 in a pipeline, also when the last two come together', async () => {
  for (let i = 0; i < 31; i++) expect((await post(promql)).statusCode).toBe(201);
  const last = await Promise.all([post(promql), post(promql)]);
  expect(last.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 422]);
  const refused = last.find(({ statusCode }) => statusCode === 422)?.json();
  expect(refused).toMatchObject({ code: 'invalid_probe', detail: 'A pipeline takes at most 32 probes.' });
  expect(await rows('probes')).toHaveLength(32);
});

test('an unknown pipeline, and a probe of another, are not found', async () => {
  for (const method of ['GET', 'POST'] as const) {
    const answer = await control.ask(
      adminToken,
      method,
      '/v1/pipelines/nobody/probes',
      method === 'GET' ? {} : { body: http },
    );
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_pipeline']);
  }
  const { id } = (await post(http)).json() as Probe;
  const answer = await control.ask(adminToken, 'DELETE', `/v1/pipelines/nobody/probes/${id}`);
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_pipeline']);
  expect(await rows('probes')).toHaveLength(1);
});

test('planted credentials are found nowhere but in the url that is asked', async () => {
  const bodies: string[] = [];
  for (const body of [
    http,
    sql,
    { ...http, url: `http://${secret}@[` },
    { ...sql, url: `postgres://a:${secret}@h/?sslkey=${secret}` },
  ])
    bodies.push((await post(body, { 'idempotency-key': `canary-${bodies.length}` })).body);
  bodies.push((await control.ask(adminToken, 'GET', place)).body);
  bodies.push((await control.ask(adminToken, 'GET', '/v1/audit')).body);
  expect(bodies.map((body) => JSON.parse(body).code ?? 'made')).toEqual([
    'made',
    'made',
    'invalid_probe',
    'invalid_probe',
    'made',
    'made',
  ]);
  const kept = JSON.stringify([await rows('audit'), await rows('idempotency_keys')]);
  for (const [where, text] of Object.entries({ answers: bodies.join(), kept, log: control.logged.join() }))
    expect(text.includes(secret), where).toBe(false);
});
