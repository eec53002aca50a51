/** External pipelines over REST: what is refused, what is shown, and what is not known. The user's server is what the test says it is. */
import { gzipSync } from 'node:zlib';
import { pricePresets } from '@spillway/shared/cost/presets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExternalComplaint } from '../../src/control-plane/pipelines/external.ts';
import { adminToken, type ControlApp, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;
let complaint: ExternalComplaint | null = null;
let asked = 0;

beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url, {
    complaintAboutExternal: async () => {
      asked++;
      return complaint;
    },
  });
});
afterAll(async () => {
  await control.close();
  await database.end();
});

const external = { url: 'redis://user:canary@shop:6379/2', stream: 'orders', groups: ['counts'] };
const pipeline = {
  id: 'orders',
  title: 'Orders',
  kind: 'external',
  external,
  route: { kind: 'shared', decision: 'There is one stream.' },
};
const post = (body: unknown, headers: Record<string, string> = {}) =>
  control.ask(adminToken, 'POST', '/v1/pipelines', { body, headers });

test.each<[string, object, string]>([
  ['no kind', { ...pipeline, kind: undefined }, '/kind'],
  ['one that is built in', { ...pipeline, kind: 'built_in' }, '/kind'],
  ['no group', { ...pipeline, external: { ...external, groups: [] } }, '/external/groups'],
  [
    'a url of something else',
    { ...pipeline, external: { ...external, url: 'kafka://canary@x' } },
    '/external/url',
  ],
  [
    'another id than the event’s',
    { ...pipeline, external: { ...external, envelope: { id: { field: 'key' } } } },
    '/external/envelope/id/field',
  ],
  [
    'a member of data that has no name',
    { ...pipeline, external: { ...external, envelope: { data: { 'a-b': { field: 'value' } } } } },
    '/external/envelope/data/a-b',
  ],
  ['no decision', { ...pipeline, route: { kind: 'shared', decision: '' } }, '/route/decision'],
  ['a floor above the share', { ...pipeline, replayShare: 0.1, replayFloor: 0.2 }, '/replayFloor'],
])('%s is refused by its place', async (_what, body, pointer) => {
  complaint = null;
  const answer = await post(body);
  expect(answer.statusCode).toBe(400);
  expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  expect(answer.body).not.toContain('canary');
});

test.each<[string, number, string, string]>([
  ['invalid', 422, 'invalid_pipeline', '/external/url'],
  ['stream_unavailable', 422, 'stream_unreachable', '/external/url'],
  ['stream_denied', 422, 'stream_denied', '/external/url'],
  ['unfit', 422, 'invalid_pipeline', '/external/url'],
  ['stream_refused', 422, 'stream_refused', '/external/accepts'],
  ['stream_full', 422, 'invalid_pipeline', '/external/url'],
  ['stream_missing', 422, 'stream_missing', '/external/stream'],
  ['stream_corrupt', 422, 'invalid_pipeline', '/external/stream'],
  ['group_missing', 422, 'group_missing', '/external/groups'],
])('%s of the server is said, and nothing is made', async (code, status, answered, pointer) => {
  complaint = { code, detail: 'the server redis://user:canary@shop:6379 says no' };
  const answer = await post(pipeline);
  expect([answer.statusCode, answer.json().code]).toEqual([status, answered]);
  expect(answer.json().errors).toMatchObject([{ pointer }]);
  expect(answer.body).not.toContain('canary');
  expect((await control.ask(adminToken, 'GET', '/v1/pipelines')).json().items).toEqual([]);
  complaint = null;
});

test('one is made, shown without its password, and made once for a key', async () => {
  const answer = await post(pipeline, { 'idempotency-key': 'k1' });
  expect(answer.statusCode).toBe(201);
  expect(answer.json()).toMatchObject({
    kind: 'external',
    external: {
      url: 'redis://shop:6379/2',
      stream: 'orders',
      groups: ['counts'],
      entryField: 'event',
      envelope: { id: { field: 'id' }, type: { text: 'spillway.event' }, subject: { field: 'key' } },
      accepts: [],
    },
    capacity: { eventsPerSecond: null, origin: 'unknown' },
    retention: { events: null },
    route: { kind: 'shared', decision: 'There is one stream.' },
    demo: null,
  });
  expect(answer.json().allowedActions).not.toContain('start_drill');
  const again = await post(pipeline, { 'idempotency-key': 'k1' });
  expect(again.json()).toEqual(answer.json());
  // The server may be away by now: the answer has been given, and it is not asked again.
  complaint = { code: 'stream_unavailable', detail: 'the server is away' };
  const asks = asked;
  expect((await post(pipeline, { 'idempotency-key': 'k1' })).json()).toEqual(answer.json());
  const other = await post({ ...pipeline, title: 'Others' }, { 'idempotency-key': 'k1' });
  expect(other.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  expect(asked).toBe(asks);
  expect((await post(pipeline, { 'idempotency-key': 'k2' })).json()).toMatchObject({
    code: 'stream_unreachable',
  });
  complaint = null;
  expect(await post(pipeline)).toMatchObject({ statusCode: 409 });
  expect(asked).toBeGreaterThan(0);
  const audit = await control.ask(adminToken, 'GET', '/v1/audit');
  expect(audit.json().items).toMatchObject([{ action: 'pipeline.create', target: 'orders' }]);
  const seen = [answer, again, audit, await control.ask(adminToken, 'GET', '/v1/pipelines/orders')];
  for (const { body } of seen) expect(body).not.toContain('canary');
  expect(control.logged.join('\n')).not.toContain('user:canary');
});

test('its place stays while a backfill is not finished; its password may change', async () => {
  const url = '/v1/pipelines/orders';
  const patch = async (change: object) => {
    const { headers } = await control.ask(adminToken, 'GET', url);
    return control.ask(adminToken, 'PATCH', url, {
      body: { external: { ...external, ...change } },
      headers: { 'if-match': headers.etag as string },
    });
  };
  const streamOf = async () =>
    (await control.pool.query(`select replay_stream as name from pipelines where id = 'orders'`)).rows[0]
      .name;
  const before = await streamOf();
  await control.pool.query(
    `insert into backfills (id, pipeline_id, window_from, window_to, requested_from, requested_to, subwindow_ms, concurrency, origin, subwindows_total, created_by)
     values ('bf_1', 'orders', 0, 1, 0, 1, 1, 1, 'operator', 1, 'ada')`,
  );
  const refused = await patch({ stream: 'others' });
  expect([refused.statusCode, refused.json().code]).toEqual([409, 'backfills_unfinished']);
  const rotated = await patch({ url: 'redis://user:canary2@shop:6379/2', accepts: ['persistence'] });
  expect(rotated.json()).toMatchObject({
    external: { url: 'redis://shop:6379/2', accepts: ['persistence'] },
  });
  expect(await streamOf()).toBe(before);
  await control.pool.query(`delete from backfills where id = 'bf_1'`);
  const moved = await patch({ stream: 'others' });
  expect(moved.json()).toMatchObject({ external: { stream: 'others' } });
  // Another name here: what is still said of the old place is not taken for the new one.
  expect(await streamOf()).not.toBe(before);
  complaint = { code: 'stream_missing', detail: 'there is no stream gone' };
  expect((await patch({ stream: 'gone' })).json()).toMatchObject({ code: 'stream_missing' });
  complaint = null;
  const audit = await control.ask(adminToken, 'GET', '/v1/audit');
  expect(audit.body).not.toContain('canary');
  // What was refused left nothing; of two passwords the trail says that it was changed by whom and when, and neither of them.
  const configured = (from: object, to: object) => ({
    action: 'pipeline.configure',
    target: 'orders',
    before: { external: from },
    after: { external: to },
  });
  const items = audit
    .json()
    .items.filter(({ action }: { action: string }) => action === 'pipeline.configure');
  expect(items).toHaveLength(2);
  expect(items).toMatchObject([
    configured({ stream: 'orders', accepts: ['persistence'] }, { stream: 'others', accepts: [] }),
    configured({ stream: 'orders', accepts: [] }, { stream: 'orders', accepts: ['persistence'] }),
  ]);
});

test('what asks for its store is refused, or null', async () => {
  const of = (path: string) => control.ask(adminToken, 'GET', `/v1/pipelines/orders/${path}`);
  const window = 'from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z';
  expect((await of(`buckets?${window}`)).json()).toMatchObject({ status: 409, code: 'pipeline_external' });
  expect((await of(`coverage?${window}&step=P1D`)).json().items).toMatchObject([{ stored: null }]);
  const drill = await control.ask(adminToken, 'POST', '/v1/pipelines/orders/drills', {
    body: { forMs: 1_000 },
  });
  expect(drill.json()).toMatchObject({ status: 409, code: 'pipeline_external' });
});

test('a quote leaves out what it cannot know, and says so', async () => {
  const priced = await control.ask(adminToken, 'GET', '/v1/pipelines/orders');
  const patched = await control.ask(adminToken, 'PATCH', '/v1/pipelines/orders', {
    body: { capacityEventsPerSecond: 10_000, priceBook: pricePresets['example-cloud'] },
    headers: { 'if-match': priced.headers.etag as string },
  });
  expect(patched.statusCode).toBe(200);
  await control.pool.query(
    `insert into sources (id, pipeline_id, title, connector, config, live) values ('us', 'orders', 'us', 'parquet', '{}', false)`,
  );
  const from = Date.UTC(2001, 0, 1);
  await control.ctx.statistics.record({
    sourceId: 'us',
    fingerprint: 'f',
    from,
    to: Date.UTC(2001, 0, 3),
    countFrom: from,
    stepMs: 86_400_000,
    counts: gzipSync(Buffer.from(new Uint32Array([50_000, 50_000]).buffer)).toString('base64'),
    laps: null,
    failure: null,
  });
  const answer = await control.ask(adminToken, 'POST', '/v1/quotes', {
    body: {
      pipelineId: 'orders',
      window: { from: '2001-01-01T00:00:00Z', to: '2001-01-03T00:00:00Z' },
      limits: { eventsPerSecond: 1_000 },
    },
  });
  expect(answer.statusCode).toBe(201);
  const { cost, warnings, durationSeconds } = answer.json();
  const unknown = cost.items.filter(({ total }: { total: unknown }) => total === null);
  expect(unknown.map(({ item }: { item: string }) => item)).toEqual([
    'store_reads',
    'store_writes',
    'store_wal',
  ]);
  expect(warnings).toContainEqual({
    code: 'items_unknown',
    detail: expect.stringContaining('store_reads, store_writes, store_wal'),
  });
  // 100,000 events at 1,000/s, and no proof after them.
  expect(durationSeconds.likely).toBeLessThan(105);
});
