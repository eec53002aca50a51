/** Sources that admins add: what is refused and where it points, what is told to workers, what is shown of it and to whom. */
import { protocolVersion } from '@spillway/shared/api/worker-protocol';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { version } from '../../src/version.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;
beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url);
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});

const columns = { time: 't', key: 'k', value: 'v' };
const jsonl = { kind: 'jsonl', path: '/srv/history/events', columns };
const postgres = {
  kind: 'postgres',
  url: 'postgres://reader:canary-of-a-source@db.example:6543/archive?sslmode=require',
  table: 'events',
  columns: { ...columns, id: 'i' },
};
const kafka = {
  kind: 'kafka',
  url: 'kafka://reader:canary@h:9092',
  topic: 'clicks',
  columns: { key: 'k', value: 'v' },
};
const s3 = {
  kind: 's3',
  bucket: 'archive',
  prefix: 'events/',
  endpoint: 'https://s3.example:9000',
  credentials: { accessKeyId: 'canary-of-a-key', secretAccessKey: 'canary-of-a-source' },
  format: 'parquet',
  columns,
};
const source = { id: 'archive', title: 'Archive', pipelineId: 'flights', history: jsonl };
const post = (body: object, headers = {}) =>
  control.ask(adminToken, 'POST', '/v1/sources', { body, headers });

test.each<[string, object, number, string, string]>([
  [
    'no kind',
    { ...source, history: { path: '/srv/history/x', columns } },
    400,
    'invalid_request',
    '/history/kind',
  ],
  [
    'an unknown kind',
    { ...source, history: { ...jsonl, kind: 'excel' } },
    400,
    'invalid_request',
    '/history/kind',
  ],
  [
    'a field of another kind',
    { ...source, history: { ...jsonl, table: 'x' } },
    400,
    'invalid_request',
    '/history/table',
  ],
  [
    'a column that is missing',
    { ...source, history: { ...jsonl, columns: { time: 't', key: 'k' } } },
    400,
    'invalid_request',
    '/history/columns/value',
  ],
  [
    'a table without an id',
    { ...source, history: { ...postgres, columns } },
    400,
    'invalid_request',
    '/history/columns/id',
  ],
  [
    'a delimiter of two characters',
    { ...source, history: { ...jsonl, kind: 'csv', delimiter: '||' } },
    400,
    'invalid_request',
    '/history/delimiter',
  ],
  [
    'a url of something else',
    { ...source, history: { ...postgres, url: 'mysql://canary@x/y' } },
    400,
    'invalid_request',
    '/history/url',
  ],
  [
    'a url with an unknown parameter',
    { ...source, history: { ...postgres, url: 'postgres://u:canary@h/d?options=x' } },
    422,
    'invalid_source',
    '/history/url',
  ],
  [
    'a url whose password ends its host early',
    { ...source, history: { ...postgres, url: 'postgres://u:p@ss/canary@h/d' } },
    422,
    'invalid_source',
    '/history/url',
  ],
  [
    'brokers behind a password that ends them early',
    { ...source, history: { ...kafka, url: 'kafka://u:p@ss/canary@h:9092' } },
    422,
    'invalid_source',
    '/history/url',
  ],
  [
    'a mechanism that is none',
    { ...source, history: { ...kafka, url: 'kafka://u:canary@h?mechanism=gssapi' } },
    422,
    'invalid_source',
    '/history/url',
  ],
  [
    'a prefix of topics, which a source makes none of',
    { ...source, history: { ...kafka, url: 'kafka://u:canary@h/two' } },
    422,
    'invalid_source',
    '/history/url',
  ],
  [
    'a file outside the folders',
    { ...source, history: { ...jsonl, path: '/etc/passwd' } },
    422,
    'invalid_source',
    '/history/path',
  ],
  [
    'a way out of the folders',
    { ...source, history: { ...jsonl, path: '/srv/history/../secrets' } },
    422,
    'invalid_source',
    '/history/path',
  ],
  [
    'a folder that only begins like one of them',
    { ...source, history: { ...jsonl, path: '/srv/history2/x' } },
    422,
    'invalid_source',
    '/history/path',
  ],
  [
    'a relative path',
    { ...source, history: { ...jsonl, path: 'history/x' } },
    422,
    'invalid_source',
    '/history/path',
  ],
  [
    'an endpoint with a password',
    { ...source, history: { ...s3, endpoint: 'https://me:canary@s3.example' } },
    400,
    'invalid_request',
    '/history/endpoint',
  ],
  [
    'a bucket that would be another path',
    { ...source, history: { ...s3, bucket: 'a/b' } },
    400,
    'invalid_request',
    '/history/bucket',
  ],
  [
    'an id in Parquet',
    { ...source, history: { ...s3, columns: { ...columns, id: 'i' } } },
    422,
    'invalid_source',
    '/history/columns/id',
  ],
  [
    'a delimiter in JSONL',
    { ...source, history: { ...s3, format: 'jsonl', delimiter: ';' } },
    422,
    'invalid_source',
    '/history/delimiter',
  ],
  [
    'a template that is none',
    { ...source, history: { ...s3, partitions: 'month={MM}' } },
    422,
    'invalid_source',
    '/history/partitions',
  ],
  [
    'credentials as they are shown',
    { ...source, history: { ...s3, credentials: { ...s3.credentials, secretAccessKey: '[redacted]' } } },
    422,
    'invalid_source',
    '/history/credentials/secretAccessKey',
  ],
  ['an unknown pipeline', { ...source, pipelineId: 'nobody' }, 404, 'unknown_pipeline', '/pipelineId'],
  ['an id that is taken', { ...source, id: 'east' }, 409, 'source_exists', '/id'],
  ['no keys', { ...source, keys: [] }, 400, 'invalid_request', '/keys'],
])('%s is refused', async (_name, body, status, code, pointer) => {
  const answer = await post(body);
  expect(answer.json(), answer.body).toMatchObject({ status, code });
  expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
  expect(answer.body).not.toContain('canary');
});

it('is added with its history, told to the workers, and counted', async () => {
  const told: object[] = [];
  const { workerId } = (
    await control.ask('canary-worker-token-0123456789abcdef012345678', 'POST', '/v1/workers', {
      body: { role: 'replay', protocolVersion, pid: 1, host: 'here', version },
    })
  ).json();
  control.ctx.workers.subscribe(workerId, (push) => told.push(push));
  const key = { 'idempotency-key': 'archive' };
  const answer = await post({ ...source, history: postgres, keys: ['JFK'] }, key);
  expect(answer.statusCode, answer.body).toBe(201);
  expect(answer.json()).toMatchObject({
    id: 'archive',
    connector: 'postgres',
    state: 'connected',
    range: null,
    events: null,
    historyOnly: true,
    allowedActions: [],
    history: { ...postgres, url: 'postgres://db.example:6543/archive?sslmode=[redacted]' },
  });
  await expect
    .poll(() => told)
    .toEqual([
      expect.objectContaining({
        type: 'settings',
        pipeline: expect.objectContaining({
          sources: expect.arrayContaining([
            expect.objectContaining({
              sourceId: 'archive',
              connector: 'postgres',
              config: expect.objectContaining({ url: postgres.url, sources: { archive: ['JFK'] } }),
            }),
          ]),
        }),
      }),
      { type: 'count', pipelineId: 'flights', sourceId: 'archive' },
    ]);
  const again = await post({ ...source, history: postgres, keys: ['JFK'] }, key);
  expect([again.statusCode, again.json()]).toEqual([201, answer.json()]);
});

it('shows where it lies to admins alone, and its credentials to nobody', async () => {
  const viewer = await control.tokenFor('viewer');
  const seen = (await control.ask(viewer, 'GET', '/v1/sources/archive')).json();
  expect(seen.history).toBeUndefined();
  const asAdmin = await control.ask(adminToken, 'GET', '/v1/sources');
  expect(asAdmin.body).toContain('db.example');
  const audit = await control.ask(adminToken, 'GET', '/v1/audit');
  expect(audit.body).toContain('source.create');
  const kept = await control.pool.query('select * from idempotency_keys');
  for (const text of [asAdmin.body, audit.body, JSON.stringify(kept.rows), ...control.logged])
    expect(text).not.toContain('canary-of-a-source');
});

it('has no feed that could be out', async () => {
  const refused = await control.ask(adminToken, 'POST', '/v1/sources/archive/disconnected', { body: {} });
  expect(refused.json()).toMatchObject({ status: 409, code: 'source_state' });
});

describe('changed and removed', () => {
  const path = '/v1/sources/archive';
  const read = async () => control.ask(adminToken, 'GET', path);
  const patch = (body: object, etag?: string) =>
    control.ask(adminToken, 'PATCH', path, { body, headers: etag === undefined ? {} : { 'if-match': etag } });
  const lastAudit = async () => (await control.ask(adminToken, 'GET', '/v1/audit?limit=1')).json().items[0];
  const lane = async (state: string) => {
    const id = `bf_${state}`;
    await control.pool.query(
      `insert into backfills (id, pipeline_id, state, window_from, window_to, requested_from, requested_to, subwindow_ms, concurrency, subwindows_total, created_by, origin, started_at, ended_at, verification_state)
       values ($1, 'flights', $2, 0, 86400000, 0, 86400000, 3600000, 1, 24, 'me', 'operator', now(), case when $2 <> 'paused' then now() end, 'matched')`,
      [id, state],
    );
    await control.pool.query(
      `insert into lanes (backfill_id, source_id, lane_from, lane_to, subwindows) values ($1, 'archive', 0, 86400000, 24)`,
      [id],
    );
    return id;
  };

  it('gets another title and history, which is counted anew, and not from a stale read', async () => {
    const { headers } = await read();
    const etag = `${headers['etag']}`;
    expect((await patch({ title: 'x' })).json()).toMatchObject({
      status: 428,
      code: 'precondition_required',
    });
    expect((await patch({}, etag)).json()).toMatchObject({ status: 400, code: 'invalid_request' });
    await control.pool.query(
      `update sources set range_from = 0, range_to = 86400000, fingerprint = 'f', counted_at = now(), count_step_ms = 60000, state = 'failed', failure = '{"code":"source_missing","detail":"gone","address":null}' where id = 'archive'`,
    );
    const titled = await patch({ title: 'The archive' }, etag);
    expect(titled.json(), titled.body).toMatchObject({
      title: 'The archive',
      statistics: { fingerprint: 'f' },
    });
    expect(titled.headers['etag']).not.toBe(etag);
    const stale = await patch({ history: s3 }, etag);
    expect(stale.json()).toMatchObject({
      status: 412,
      code: 'stale_revision',
      current: { title: 'The archive', id: 'archive' },
    });
    const changed = await patch({ history: s3 }, `${titled.headers['etag']}`);
    expect(changed.json(), changed.body).toMatchObject({
      title: 'The archive',
      connector: 's3',
      state: 'connected',
      failure: null,
      range: null,
      statistics: null,
      history: { ...s3, credentials: { accessKeyId: '[redacted]', secretAccessKey: '[redacted]' } },
    });
    const { rows } = await control.pool.query(`select config from sources where id = 'archive'`);
    // The keys it had, and what lets the worker in.
    expect(rows[0].config).toMatchObject({ sources: { archive: ['JFK'] }, credentials: s3.credentials });
    expect(await lastAudit()).toMatchObject({
      action: 'source.change',
      target: 'archive',
      before: { history: { kind: 'postgres' } },
      after: { history: { kind: 's3', bucket: 'archive' } },
    });
    for (const text of [changed.body, stale.body, (await read()).body, JSON.stringify(await lastAudit())])
      expect(text).not.toContain('canary');
    expect(
      (await patch({ history: { ...jsonl, path: '/etc/x' } }, `${changed.headers['etag']}`)).json(),
    ).toMatchObject({ status: 422, code: 'invalid_source' });
  });

  it('stays as it is while backfills that are not finished use it; only its title may change', async () => {
    const ids = [await lane('paused'), await lane('failed'), await lane('completed')];
    const etag = `${(await read()).headers['etag']}`;
    const attempts = [await patch({ history: jsonl }, etag), await control.ask(adminToken, 'DELETE', path)];
    for (const answer of attempts) {
      expect(answer.json(), answer.body).toMatchObject({ status: 409, code: 'source_in_use' });
      expect(answer.json().detail).toContain(`${ids[0]}, ${ids[1]} first`);
    }
    expect((await patch({ title: 'In use' }, etag)).statusCode).toBe(200);
    await control.pool.query(
      `update backfills set state = 'cancelled', ended_at = now() where id = any($1)`,
      [ids.slice(0, 2)],
    );
  });

  it('is removed, and its backfills stay', async () => {
    const told: object[] = [];
    const { workerId } = (
      await control.ask('canary-worker-token-0123456789abcdef012345678', 'POST', '/v1/workers', {
        body: { role: 'replay', protocolVersion, pid: 2, host: 'here', version },
      })
    ).json();
    control.ctx.workers.subscribe(workerId, (push) => told.push(push));
    const answer = await control.ask(adminToken, 'DELETE', path);
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect((await read()).json()).toMatchObject({ status: 404, code: 'unknown_source' });
    expect((await control.ask(adminToken, 'DELETE', path)).json()).toMatchObject({ code: 'unknown_source' });
    expect(await lastAudit()).toMatchObject({ action: 'source.remove', target: 'archive', after: null });
    await expect.poll(() => JSON.stringify(told)).toContain('"type":"settings"');
    expect(JSON.stringify(told)).not.toContain('archive');
    const kept = await control.ask(adminToken, 'GET', '/v1/backfills/bf_completed');
    expect(kept.json(), kept.body).toMatchObject({ state: 'completed', sourceIds: ['archive'] });
    // Its id is free again.
    expect((await post(source)).statusCode).toBe(201);
  });

  it('is not, when it has a feed', async () => {
    const removed = await control.ask(adminToken, 'DELETE', '/v1/sources/east');
    expect(removed.json()).toMatchObject({ status: 409, code: 'source_built_in' });
    const { headers } = await control.ask(adminToken, 'GET', '/v1/sources/east');
    const change = (body: object) =>
      control.ask(adminToken, 'PATCH', '/v1/sources/east', {
        body,
        headers: { 'if-match': `${headers['etag']}` },
      });
    expect((await change({ history: jsonl })).json()).toMatchObject({ status: 409, code: 'source_built_in' });
    expect((await change({ title: 'The east' })).json()).toMatchObject({ title: 'The east' });
  });
});
