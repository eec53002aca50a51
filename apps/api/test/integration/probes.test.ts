/** Probes against real servers: what each kind reads, and what it refuses. */
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readHttpJson } from '../../src/control-plane/probes/http-json.ts';
import { readPromQl } from '../../src/control-plane/probes/promql.ts';
import { readSql } from '../../src/control-plane/probes/sql.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';
import { type ProbedServers, startProbedServers } from '../fixtures/probed-servers.ts';
import { until } from '../fixtures/started-process.ts';

let servers: ProbedServers;
let target: EmbeddedStoreDatabase;

beforeAll(async () => {
  [servers, target] = await Promise.all([startProbedServers(), EmbeddedStoreDatabase.start()]);
  await target.sql(
    'create table readings (at int primary key, value numeric); insert into readings values (1, 3.5), (2, 4.5)',
  );
});
afterAll(async () => {
  servers?.close();
  await target?.remove();
});

const patient = () => AbortSignal.timeout(20_000);
const refusal = async (reading: Promise<number>) =>
  reading.then(
    (value) => `read ${value}`,
    (error: Error) => error.message,
  );

describe('HTTP JSON', () => {
  const read = (path: string, pointer: string, signal = patient()) =>
    readHttpJson({ url: path.startsWith('/') ? `${servers.base}${path}` : path, pointer }, signal);

  test.each([
    ['/queue/length', 42.5],
    ['/queue/deep/1/n', -3],
  ])('the number at %s', async (pointer, value) => {
    expect(await read('/number', pointer)).toBe(value);
  });

  test.each([
    ['text for a number', '/number', '/queue/text', 'the pointer points at text, not at a number'],
    ['null', '/number', '/queue/none', 'the pointer points at null, not at a number'],
    ['an object', '/number', '/queue', 'the pointer points at an object, not at a number'],
    ['nothing there', '/number', '/queue/depth', 'the pointer points at nothing in the answer'],
    ['beyond every number', '/infinite', '/n', 'the number is not finite'],
    ['no JSON', '/page', '', 'the answer is not JSON'],
    [
      'a redirect',
      '/redirect',
      '/queue/length',
      'the answer is a redirect (302): redirects are not followed',
    ],
    ['a failure', '/broken', '/queue/length', 'the answer has status 503, not 200'],
    ['a huge answer', '/huge', '/n', 'the answer is longer than 1 MiB'],
    ['a compressed answer', '/compressed', '/n', 'the answer is compressed although that was not asked for'],
  ])('%s is unknown', async (_, path, pointer, sentence) => {
    expect(await refusal(read(path, pointer))).toBe(sentence);
  });

  test('a redirect is not followed: nobody asked for its target', async () => {
    servers.asked.length = 0;
    await refusal(read('/redirect', '/queue/length'));
    expect(servers.asked.map(({ url }) => url)).toEqual(['/redirect']);
  });

  test('user and password become Basic auth; the path has neither', async () => {
    servers.asked.length = 0;
    const url = new URL(`${servers.base}/number?k=v#f`);
    url.username = 'ada';
    url.password = 'p@ß';
    await read(url.href, '/queue/length');
    expect(servers.asked[0]?.url).toBe('/number?k=v');
    expect(servers.asked[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('ada:p@ß').toString('base64')}`,
    );
    expect(servers.asked[0]?.headers.host).toBe(url.host);
  });

  test('by name: the address that was checked is the one connected to', async () => {
    const url = `${servers.base.replace('127.0.0.1', 'localhost')}/number`;
    expect(await read(url, '/queue/length')).toBe(42.5);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
  ])('%s is refused before anything is sent', async (url) => {
    expect(await refusal(read(url, ''))).toBe('link-local addresses are not probed');
  });

  test.each(['/hang', '/trickle'])('%s ends with its signal, connection and all', async (path) => {
    const closed = new Promise<void>((done) => {
      servers.web.once('request', (request: IncomingMessage) => request.socket.once('close', done));
    });
    const began = performance.now();
    await expect(read(path, '', AbortSignal.timeout(150))).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(1_000);
    await closed;
  });
});

describe('PromQL', () => {
  const read = (query: string) => readPromQl({ url: `${servers.base}/prom/`, query }, patient());

  test.each([
    ['one', 12.25],
    ['scalar', 7],
  ])('%s', async (query, value) => {
    expect(await read(query)).toBe(value);
  });

  test.each([
    ['none', 'the query has no sample'],
    ['two', 'the query has 2 samples, not one'],
    ['nan', 'the sample is not a finite number'],
    ['inf', 'the sample is not a finite number'],
    ['number', 'the sample is not a finite number'],
    ['matrix', 'the answer is not that of an instant query with a vector or a scalar'],
    ['odd', 'the answer is not that of an instant query with a vector or a scalar'],
    ['bad{', 'Prometheus answered with status 400 (bad_data), not 200'],
  ])('%s is unknown', async (query, sentence) => {
    expect(await refusal(read(query))).toBe(sentence);
  });

  test('the query arrives as it was written, beside what the url brings', async () => {
    servers.asked.length = 0;
    const query = 'sum(rate(x{a="b&c"}[1m])) + 1';
    await refusal(readPromQl({ url: `${servers.base}/prom?tenant=7`, query }, patient()));
    const url = new URL(servers.asked[0]?.url ?? '', servers.base);
    expect([url.pathname, ...url.searchParams]).toEqual([
      '/prom/api/v1/query',
      ['tenant', '7'],
      ['query', query],
    ]);
  });
});

describe('SQL', () => {
  const read = (query: string, timeoutMs = 20_000, url = target.url) =>
    readSql({ url, query, timeoutMs }, AbortSignal.timeout(timeoutMs));

  test.each([
    ['select 1', 1],
    ['select 2::bigint;', 2],
    ['select avg(value) from readings -- the mean', 4],
    ['with r as (select max(at) as m from readings) select m::float8 / 4 from r', 0.5],
    ['values (-1.5)', -1.5],
    ['table readings limit 0', null],
  ])('%s', async (query, value) => {
    expect(await refusal(read(query))).toBe(
      value === null ? 'the query has 2 columns, not one' : `read ${value}`,
    );
  });

  test.each([
    ['select 1; drop table readings', /^the database refused the query: cannot insert multiple commands/],
    ['commit', /^the database refused the query: syntax error/],
    ['commit; drop table readings', /^the database refused the query: /],
    ['rollback', /^the database refused the query: syntax error/],
    ['set transaction read write', /^the database refused the query: syntax error/],
    ['drop table readings', /^the database refused the query: syntax error/],
    ['insert into readings values (3, 1) returning value', /^the database refused the query: syntax error/],
    [
      'with w as (delete from readings returning 1) select count(*) from w',
      /^(the database refused|the query writes|the database answered)/,
    ],
    ['select 1 into other', /^the database refused the query: /],
    ["select nextval('s')", /^the database refused the query: relation "s" does not exist/],
    ['select 1) union (select 2', /^the database refused the query: syntax error/],
    ['select $1', /^the database (answered|refused)/],
    ["select 'five'", 'the column of the query is no number'],
    ['select now() - now()', 'the column of the query is no number'],
    ["select 'NaN'::float8", 'the answer of the query is not a finite number'],
    ["select 'infinity'::float8", 'the answer of the query is not a finite number'],
    ['select null::int', 'the answer of the query is null'],
    ['select value from readings', 'the query has more than one row'],
    ['select value from readings where at > 5', 'the query has no row'],
    ['select 1, 2', 'the query has 2 columns, not one'],
    ['select 1 / 0', 'the database answered 22012'],
    ["select 'secret'::int", 'the database answered 22P02'],
    ["select repeat('x', 20000000)", 'the column of the query is no number'],
  ])('%s is unknown', async (query, sentence) => {
    expect(await refusal(read(query))).toMatch(sentence);
    expect(await target.sql('select count(*)::int as rows from readings')).toEqual([{ rows: 2 }]);
  });

  test('a billion rows cost two', async () => {
    const began = performance.now();
    expect(await refusal(read('select generate_series(1, 1000000000)'))).toBe(
      'the query has more than one row',
    );
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('a server that says nothing ends with the signal, connection and all', async () => {
    const began = performance.now();
    await expect(
      read('select 1', 200, `postgres://ada:pw@127.0.0.1:${servers.silentPort}/x`),
    ).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(1_000);
    await until(() => servers.silentSockets.size === 0, 5_000, 'the connection is closed');
  });

  test('one that never stops sending is cut off', async () => {
    let sentBytes = 0;
    const endless = createSocketServer((socket) => {
      socket.on('error', () => {});
      // An answer to the start that claims to be a gibibyte long.
      socket.write(Buffer.from([0x52, 0x40, 0, 0, 0]));
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) sentBytes += 65_536;
      };
      socket.on('drain', more);
      more();
    });
    await new Promise<void>((done) => endless.listen(0, '127.0.0.1', done));
    const { port } = endless.address() as AddressInfo;
    expect(await refusal(read('select 1', 20_000, `postgres://a@127.0.0.1:${port}/x`))).toBe(
      'the answer is longer than 1 MiB',
    );
    expect(sentBytes).toBeLessThan(512 * 1024 * 1024);
    endless.close();
  });

  test('a slow query is given up at the timeout, though this server cannot interrupt it', async () => {
    const began = performance.now();
    await expect(
      read('select count(*) from generate_series(1, 3000000) a where a % 7 = 1', 100),
    ).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(1_000);
    // The server is free again once it has finished, and has kept nothing.
    expect(await refusal(read('select 1'))).toBe('read 1');
  });

  test.each([
    ['a dead host', 'postgres://ada:pw@127.0.0.1:1/x', 'the host refused the connection'],
    ['no such socket', 'postgres://a@localhost/x?host=/nowhere', 'nothing listens there'],
    ['a link-local host', 'postgres://a@169.254.1.1/x', 'link-local addresses are not probed'],
  ])('%s is unknown', async (_, url, sentence) => {
    expect(await refusal(read('select 1', 5_000, url))).toBe(sentence);
  });
});
