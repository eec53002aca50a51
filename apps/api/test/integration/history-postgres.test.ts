/** A PostgreSQL that is not there, does not let us in, or is not what it was said to be; and what one reading may see of what is changed meanwhile. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { PostgresSourceConfig } from '../../src/adapters/source-postgres/config.ts';
import { openPostgresSource } from '../../src/adapters/source-postgres/postgres-source.ts';
import type { HistoryBatch, HistorySource } from '../../src/data-plane/ports.ts';
import { PASSWORD, type PostgresServer, startPostgres, startReplicaOf } from '../fixtures/postgres-server.ts';
import { startSilentWire } from '../fixtures/silent-wire.ts';
import { until } from '../system/until.ts';

const everything = { from: -8.64e15, to: 8.64e15 };
const columns = { time: 't', key: 'k', value: 'v', id: 'i' };

let server: PostgresServer;
let otherKind: Server & { port: number };
const opened: HistorySource[] = [];
beforeAll(async () => {
  const http = createServer((_asked, answer) => void answer.end('welcome')).listen(0, '127.0.0.1');
  await once(http, 'listening');
  otherKind = Object.assign(http, { port: (http.address() as AddressInfo).port });
  server = await startPostgres();
  await server.sql(`
    create table events (t timestamptz, k text, v bigint, i bigint primary key, doc jsonb, note text);
    insert into events select timestamptz '2001-01-01Z' + n * interval '1 second', 'a', n, n from generate_series(1, 1000) n;
    create table unnamed (t timestamptz, k text, v bigint, i bigint);
    create table loose (t timestamptz, k text, v bigint, i bigint not null);
    create index on loose (i);
    create unique index on loose (i) where v > 0;
    create unique index on loose (t, k, i);
    create view viewed as select t, k, v, i from events where i <= 10 union all select t, k, v, null from events where i = 11;
    create table split (t timestamptz, k text, v bigint, i bigint, primary key (t, i)) partition by range (t);
    create table split_1 partition of split for values from ('2001-01-01Z') to ('2001-01-02Z');
    create table split_2 partition of split for values from ('2001-01-02Z') to ('infinity');
    insert into split select timestamptz '2001-01-01Z' + n * interval '1 hour', 'a', n, 7 from generate_series(0, 47) n;
    insert into split values ('9999-12-31 00:00Z', 'a', 1, 8);
    create table outside (t timestamptz, k text, v int, i text primary key);
    insert into outside values ('2001-01-01Z', 'a', 1, 'sound'), ('1969-12-31 23:59:59.9999Z', 'a', 1, 'early'), ('2200-01-01Z', 'a', 1, 'late'),
      ('infinity', 'a', 1, 'never'), (null, 'a', 1, 'null'), ('2001-01-01Z', 'a', 1, ''), ('2001-01-01Z', repeat('k', 401), 1, 'long'),
      ('2001-01-01Z', repeat('😀', 201), 1, 'pairs'), ('2001-01-01Z', repeat('😀', 200), 1, 'just'), ('2001-01-01Z', 'a', 1, repeat('i', 401));
    create role stranger login password '${PASSWORD}';`);
});
afterAll(async () => {
  for (const source of opened) await source.close();
  otherKind?.close();
  await server?.stop();
});

function open(more: Partial<PostgresSourceConfig> = {}): HistorySource {
  const source = openPostgresSource({
    kind: 'postgres',
    url: server.url('postgres'),
    table: 'events',
    columns,
    sources: { s: null },
    ...more,
  });
  opened.push(source);
  return source;
}

function reading(source: HistorySource, maxEvents = 100, after: string | null = null) {
  const signal = new AbortController().signal;
  return source.read({ sourceId: 's', range: everything, after, maxEvents, signal })[Symbol.asyncIterator]();
}

async function idsOf(iterator: AsyncIterator<HistoryBatch>): Promise<string[]> {
  const ids: string[] = [];
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
    ids.push(...step.value.events.map(({ id }) => id));
  return ids;
}

describe('is refused with a code, by its name and without its credentials', () => {
  const changed = (change: (url: URL) => void) => {
    const url = new URL(server.url('postgres'));
    change(url);
    return url.href;
  };
  test.each<[string, () => Partial<PostgresSourceConfig>, string, RegExp]>([
    [
      'a port that nobody listens on',
      () => ({ url: changed((url) => (url.port = '1')) }),
      'source_unavailable',
      /127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/,
    ],
    [
      'a server of another kind',
      () => ({ url: `postgres://me:canary@127.0.0.1:${otherKind.port}/db` }),
      'source_unavailable',
      /database db at 127\.0\.0\.1:\d+ has ended the connection: a PostgreSQL has to listen there/,
    ],
    [
      'a host that is not there',
      () => ({ url: changed((url) => (url.hostname = 'nowhere.invalid')) }),
      'source_unavailable',
      /nowhere\.invalid/,
    ],
    [
      'a wrong password',
      () => ({ url: changed((url) => (url.password = 'canary-of-a-wrong-password')) }),
      'source_denied',
      /does not accept the password/,
    ],
    [
      'a database that is not there',
      () => ({ url: changed((url) => (url.pathname = '/nothing')) }),
      'source_missing',
      /database nothing at .* does not exist/,
    ],
    [
      'TLS that is not offered',
      () => ({ url: changed((url) => url.searchParams.set('sslmode', 'require')) }),
      'source_denied',
      /does not offer TLS/,
    ],
    [
      'a user who may not read it',
      () => ({ url: changed((url) => (url.username = 'stranger')) }),
      'source_denied',
      /does not let the user read public\.events/,
    ],
    ['a table that is not there', () => ({ table: 'Events' }), 'source_missing', /no table public\.Events/],
    [
      'a schema that is not there',
      () => ({ schema: 'x"; drop table events; --' }),
      'source_missing',
      /no table/,
    ],
    [
      'a column that is not there',
      () => ({ columns: { ...columns, value: 'V' } }),
      'source_schema',
      /no column V/,
    ],
    [
      'a time that is text',
      () => ({ columns: { ...columns, time: 'note' } }),
      'source_schema',
      /note of public\.events is of type text; a time is one of/,
    ],
    ['a key that is JSON', () => ({ columns: { ...columns, key: 'doc' } }), 'source_schema', /doc .* jsonb/],
    ['a measure that is text', () => ({ columns: { ...columns, value: 'note' } }), 'source_schema', /note/],
    ['an id that may be null', () => ({ table: 'unnamed' }), 'source_schema', /may be null/],
    [
      'an id that may come twice',
      () => ({ table: 'loose' }),
      'source_schema',
      /no unique index on i, or on t and i/,
    ],
    ['a view with a row without an id', () => ({ table: 'viewed' }), 'source_schema', /1 rows have no id/],
  ])('%s', async (_name, change, code, detail) => {
    const failure = await open(change())
      .describe()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'SourceError', code, message: expect.stringMatching(detail) });
    const { message, cause, stack } = failure as Error;
    expect(`${message} ${stack} ${String(cause)} ${(cause as Error | undefined)?.stack}`).not.toMatch(
      /canary/,
    );
  });

  it('a url that is none', () => {
    expect(() => open({ url: 'postgres://u:canary@[::1' })).toThrow(
      /^the source's url is not a URL; in a user or password/,
    );
  });
});

describe('its version, which nobody reads a row for', () => {
  test.each([
    ['a row more', `insert into counted values ('2001-01-01Z', 'a', 1, 100000)`],
    ['another measure', 'update counted set v = 77 where i = 3'],
    ['a row less', 'delete from counted where i = 3'],
    ['none of its rows', 'truncate counted'],
    ['a row more in a part of it', `insert into halved values ('2001-01-02 12:00Z', 'a', 1, 9)`],
  ])('is another one with %s', async (_what, change) => {
    await server.sql(`
      drop table if exists counted, halved;
      create table counted (t timestamptz, k text, v bigint, i bigint primary key);
      insert into counted select timestamptz '2001-01-01Z', 'a', n, n from generate_series(1, 1000) n;
      create table halved (t timestamptz, k text, v bigint, i bigint, primary key (t, i)) partition by range (t);
      create table halved_1 partition of halved for values from ('2001-01-01Z') to ('2001-01-02Z');
      create table halved_2 partition of halved for values from ('2001-01-02Z') to ('infinity');`);
    const source = open({ table: change.includes('halved') ? 'halved' : 'counted' });
    const before = await source.version();
    expect(before).toBeTypeOf('string');
    await source.describe();
    expect(await source.version()).toBe(before);
    await server.sql(change);
    expect(await source.version()).not.toBe(before);
  });

  it('is not known of a view', async () => {
    expect(await open({ table: 'viewed' }).version()).toBeUndefined();
  });

  it('is the one it was while all connections are reading', async () => {
    const source = open({ connectionsMax: 1 });
    const before = await source.version();
    const iterator = reading(source);
    await iterator.next();
    expect(await source.version()).toBe(before);
    await iterator.return?.();
  });
});

it.each([
  [
    'dropped',
    'drop table fickle',
    'source_missing',
    /database postgres at .* has no table public\.fickle any more/,
  ],
  [
    'altered',
    'alter table fickle rename column v to w',
    'source_schema',
    /public\.fickle in database postgres at .* is not what it was/,
  ],
])('fails by its name when its table is %s after it was looked at', async (_what, change, code, detail) => {
  await server.sql(
    `drop table if exists fickle; create table fickle as select * from events where i < 10; alter table fickle add primary key (i)`,
  );
  const source = open({ table: 'fickle' });
  await source.describe();
  await server.sql(change);
  await expect(idsOf(reading(source))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(detail),
  });
});

it('gives one snapshot in one reading', async () => {
  const iterator = reading(open());
  const first = await iterator.next();
  await server.sql(
    `delete from events where i = 500; insert into events select t, k, 5, 5000 from events where i = 600`,
  );
  const ids = [...(first.value as HistoryBatch).events.map(({ id }) => id), ...(await idsOf(iterator))];
  expect(ids).toEqual(Array.from({ length: 1000 }, (_, index) => String(index + 1)));
  await server.sql(
    `insert into events select t + interval '1 second', k, 500, 500 from events where i = 499; delete from events where i = 5000`,
  );
});

it('goes on after its connection has been ended, from the cursor', async () => {
  const source = open();
  const iterator = reading(source);
  const first = (await iterator.next()).value as HistoryBatch;
  await server.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'spillway-source'`,
  );
  await expect(iterator.next()).rejects.toMatchObject({ code: 'source_unavailable' });
  const rest = await idsOf(reading(source, 100, first.cursor));
  expect([rest.length, rest[0]]).toEqual([900, '101']);
});

it('holds no more connections than it may, and none after it', async () => {
  // A third one of this user's would be refused.
  await server.sql(
    `create role two login password '${PASSWORD}' connection limit 2; grant select on events to two`,
  );
  const url = server.url('postgres').replace('//postgres:', '//two:');
  const source = open({ url, connectionsMax: 2 });
  await source.describe();
  const iterators = Array.from({ length: 5 }, () => reading(source));
  const ids = await Promise.all(iterators.map(idsOf));
  expect(ids.map(({ length }) => length)).toEqual([1000, 1000, 1000, 1000, 1000]);
  const { rows } = await server.sql(
    `select count(*) filter (where state like 'idle in%')::int as open from pg_stat_activity where application_name = 'spillway-source'`,
  );
  expect(rows[0].open).toBe(0);
  await source.close();
});

it('reads from a replica, and goes on from the cursor where that ends its snapshot', async () => {
  await server.sql('create table copied as select * from events; alter table copied add primary key (i)');
  const replica = await startReplicaOf(server, { max_standby_streaming_delay: '0' });
  try {
    const source = open({ url: replica.url('postgres'), table: 'copied' });
    expect(await source.describe()).toMatchObject({ rows: 1000 });
    const iterator = reading(source);
    const first = (await iterator.next()).value as HistoryBatch;
    // What it still sees is cleaned up on the primary, and the replica may not wait for it.
    await server.sql('delete from copied where i > 900');
    await server.sql('vacuum copied');
    await until('the replica to end it', async () => {
      const { rows } = await replica.sql(
        `select sum(confl_snapshot + confl_lock + confl_bufferpin)::int as ended from pg_stat_database_conflicts`,
      );
      return rows[0].ended > 0;
    });
    await expect(iterator.next()).rejects.toMatchObject({ code: 'source_unavailable' });
    expect(await idsOf(reading(source, 100, first.cursor))).toEqual(
      Array.from({ length: 800 }, (_, index) => String(index + 101)),
    );
  } finally {
    await replica.stop();
  }
});

it('gives up at its limit what the server does not answer', async () => {
  const source = open({ statementTimeoutMs: 1_000 });
  await source.describe();
  const holder = new pg.Client(server.url('postgres'));
  await holder.connect();
  await holder.query('begin; lock table events in access exclusive mode');
  await expect(idsOf(reading(source))).rejects.toMatchObject({
    code: 'source_unavailable',
    message: expect.stringContaining('took longer than a statement may'),
  });
  await holder.end();
});

it('gives up a server that has fallen silent, though nothing ends the connection', async () => {
  const wire = await startSilentWire(() => server.port);
  const url = new URL(server.url('postgres'));
  url.port = String(wire.port);
  const source = open({ url: url.href, statementTimeoutMs: 1_000 });
  const [going, leaving] = [reading(source), reading(source)];
  await going.next();
  await leaving.next();
  wire.fallSilent();
  const [asked, left] = await Promise.allSettled([idsOf(going), leaving.return?.()]);
  expect(asked).toMatchObject({
    status: 'rejected',
    reason: { code: 'source_unavailable', message: expect.stringContaining('does not answer in time') },
  });
  expect(left.status).toBe('fulfilled');
  await wire.close();
}, 10_000);

it('quarantines what no event may be, and counts as it reads', async () => {
  const source = open({ table: 'outside', columns });
  const batches: HistoryBatch[] = [];
  const iterator = reading(source, 10);
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
    batches.push(step.value);
  expect(batches.flatMap(({ events }) => events.map(({ id }) => id))).toEqual(['just', 'sound']);
  const quarantined = batches.flatMap(({ quarantined: rows }) =>
    rows.map(({ address, detail }) => `${address.slice('public.outside i '.length, 40)}: ${detail}`),
  );
  expect(quarantined).toEqual([
    'early: t is not within 1970 to 2199 (timeFormat text)',
    'late: t is not within 1970 to 2199 (timeFormat text)',
    'never: t is no time (timeFormat text)',
    'null: t is missing',
    ': i is missing',
    `${'i'.repeat(23)}: i is longer than 400 characters`,
    'long: k is longer than 400 characters',
    'pairs: k is longer than 400 characters',
  ]);
  const from = Date.UTC(2001, 0, 1);
  expect(await source.describe()).toMatchObject({ range: { from, to: from + 1 }, rows: 10 });
  expect([...((await source.count(60_000)).counts['s'] ?? [])]).toEqual([2]);
});

it.each(['LATIN1', 'EUC_JP', 'SQL_ASCII'])(
  'measures names in a database of the encoding %s as in any other',
  async (encoding) => {
    const name = encoding.toLowerCase();
    await server.sql(`create database ${name} encoding '${encoding}' locale 'C' template template0`);
    await server.sql(
      `create table outside (t timestamptz, k text, v int, i text primary key);
     insert into outside select '2001-01-01Z', repeat('§', n), n, n from unnest(array[1, 250, 400, 401, 900, 2000]) n;`,
      name,
    );
    const source = open({ url: server.url(name), table: 'outside', columns });
    expect(await idsOf(reading(source))).toEqual(['1', '250', '400']);
    expect([...((await source.count(60_000)).counts['s'] ?? [])]).toEqual([3]);
  },
);

it('reads a partitioned table, where an id comes again at another time; what no time can say is quarantined', async () => {
  const source = open({ table: 'split' });
  expect(await source.describe()).toMatchObject({
    rows: 49,
    range: { from: Date.UTC(2001, 0, 1), to: Date.UTC(2001, 0, 2, 23) + 1 },
  });
  const batches: HistoryBatch[] = [];
  const iterator = reading(source, 10);
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
    batches.push(step.value);
  expect(batches.flatMap(({ events }) => events.map(({ value }) => value))).toEqual(
    Array.from({ length: 48 }, (_, n) => n),
  );
  expect(batches.flatMap(({ quarantined }) => quarantined.map(({ address }) => address))).toEqual([
    'public.split i 8',
  ]);
});
