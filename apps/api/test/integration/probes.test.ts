/** Probes against real servers: what each kind reads, what it refuses, and that nothing they do holds up anything else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ProbeSignal } from '../../src/control-plane/context.ts';
import { connect } from '../../src/control-plane/database/database.ts';
import { pipelines, probes } from '../../src/control-plane/database/schema.ts';
import { readHttpJson } from '../../src/control-plane/probes/http-json.ts';
import { readPromQl } from '../../src/control-plane/probes/promql.ts';
import { createProbes, type Probes } from '../../src/control-plane/probes/runner.ts';
import { readSql } from '../../src/control-plane/probes/sql.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';
import { until } from '../fixtures/started-process.ts';

let control: ControlDatabase;
let target: EmbeddedStoreDatabase;
let web: Server;
let base: string;
/** Accepts and never says a word. */
let silent: ReturnType<typeof createSocketServer>;
let silentPort: number;
const silentSockets = new Set<Socket>();
const asked: IncomingMessage[] = [];

const prometheus = (result: unknown, resultType = 'vector') => ({
  status: 'success',
  data: { resultType, result },
});
const answers: Record<string, (response: ServerResponse, request: IncomingMessage) => void> = {
  '/number': (response) =>
    response.end('{"queue":{"length":42.5,"text":"42","none":null,"deep":[1,{"n":-3}]}}'),
  '/infinite': (response) => response.end('{"n":1e999}'),
  '/page': (response) => response.setHeader('content-type', 'text/html').end('<html>42</html>'),
  '/redirect': (response) => response.writeHead(302, { location: `${base}/number` }).end(),
  '/broken': (response) => response.writeHead(503).end('{"queue":{"length":1}}'),
  '/huge': (response) => {
    response.write('{"n":[');
    const more = () => {
      while (!response.destroyed && response.write(`${'1,'.repeat(32_768)}`));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  },
  '/compressed': (response) => response.setHeader('content-encoding', 'gzip').end('x'),
  '/trickle': (response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  },
  '/hang': () => {},
  '/slow': (response) => void setTimeout(() => response.end('{"n":1}'), 300),
  '/prom/api/v1/query': (response, request) => {
    const query = new URL(request.url ?? '', base).searchParams.get('query') ?? '';
    const sample = (value: string) => ({ metric: {}, value: [1_700_000_000, value] });
    const documents: Record<string, unknown> = {
      one: prometheus([sample('12.25')]),
      none: prometheus([]),
      two: prometheus([sample('1'), sample('2')]),
      nan: prometheus([sample('NaN')]),
      inf: prometheus([sample('+Inf')]),
      scalar: prometheus([1_700_000_000, '7'], 'scalar'),
      matrix: prometheus([], 'matrix'),
      number: prometheus([{ metric: {}, value: [1, 5] }]),
      odd: 'nothing',
    };
    if (query in documents) return response.end(JSON.stringify(documents[query]));
    response.writeHead(400).end('{"status":"error","errorType":"bad_data","error":"secret of the server"}');
  },
};

beforeAll(async () => {
  [control, target] = await Promise.all([startControlDatabase(), EmbeddedStoreDatabase.start()]);
  await target.sql(
    'create table readings (at int primary key, value numeric); insert into readings values (1, 3.5), (2, 4.5)',
  );
  web = createServer((request, response) => {
    asked.push(request);
    const answer = answers[request.url?.split('?', 1)[0] ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response, request);
  });
  silent = createSocketServer((socket) => {
    silentSockets.add(socket);
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => silentSockets.delete(socket));
  });
  await Promise.all(
    [web, silent].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  );
  base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  silentPort = (silent.address() as AddressInfo).port;
});
afterAll(async () => {
  web.closeAllConnections();
  web.close();
  for (const socket of silentSockets) socket.destroy();
  silent.close();
  await Promise.all([control?.end(), target?.remove()]);
});

const patient = () => AbortSignal.timeout(20_000);
const refusal = async (reading: Promise<number>) =>
  reading.then(
    (value) => `read ${value}`,
    (error: Error) => error.message,
  );

describe('HTTP JSON', () => {
  const read = (path: string, pointer: string, signal = patient()) =>
    readHttpJson({ url: path.startsWith('/') ? `${base}${path}` : path, pointer }, signal);

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
    asked.length = 0;
    await refusal(read('/redirect', '/queue/length'));
    expect(asked.map(({ url }) => url)).toEqual(['/redirect']);
  });

  test('user and password become Basic auth; the path has neither', async () => {
    asked.length = 0;
    const url = new URL(`${base}/number?k=v#f`);
    url.username = 'ada';
    url.password = 'p@ß';
    await read(url.href, '/queue/length');
    expect(asked[0]?.url).toBe('/number?k=v');
    expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:p@ß').toString('base64')}`);
    expect(asked[0]?.headers.host).toBe(url.host);
  });

  test('by name: the address that was checked is the one connected to', async () => {
    const url = `${base.replace('127.0.0.1', 'localhost')}/number`;
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
      web.once('request', (request: IncomingMessage) => request.socket.once('close', done));
    });
    const began = performance.now();
    await expect(read(path, '', AbortSignal.timeout(150))).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(1_000);
    await closed;
  });
});

describe('PromQL', () => {
  const read = (query: string) => readPromQl({ url: `${base}/prom/`, query }, patient());

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
    asked.length = 0;
    const query = 'sum(rate(x{a="b&c"}[1m])) + 1';
    await refusal(readPromQl({ url: `${base}/prom?tenant=7`, query }, patient()));
    const url = new URL(asked[0]?.url ?? '', base);
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
    await expect(read('select 1', 200, `postgres://ada:pw@127.0.0.1:${silentPort}/x`)).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(1_000);
    await until(() => silentSockets.size === 0, 5_000, 'the connection is closed');
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

describe('the runner', () => {
  const logged: string[] = [];
  let runner: Probes;
  let close: () => Promise<void>;
  let aheadMs = 0;
  /** With every look at the clock. */
  let passesMs = 0;

  async function run(definitions: Record<string, Partial<typeof probes.$inferInsert>>): Promise<void> {
    const { database, pool } = connect(control.url, 2);
    await database.delete(probes);
    await database
      .insert(pipelines)
      .values({
        id: 'flights',
        title: 'Flights',
        replayShare: 0.5,
        maxSourcesReplaying: 2,
        highWaterMark: 20_000,
        bucketMs: 3_600_000,
        allowedLatenessMs: 0,
        eventRetentionMs: 1,
        routeDecision: 'for the test',
        liveStream: 'live',
        replayStream: 'replay',
      })
      .onConflictDoNothing();
    for (const [id, definition] of Object.entries(definitions))
      await database.insert(probes).values({
        id,
        pipelineId: 'flights',
        title: id,
        kind: 'http_json',
        url: `${base}/number`,
        pointer: '/queue/length',
        target: 50,
        worseWhen: 'above',
        failMode: 'bad',
        intervalMs: 100,
        timeoutMs: 100,
        createdBy: 'ada',
        ...definition,
      });
    logged.length = 0;
    aheadMs = 0;
    passesMs = 0;
    const tell = (fields: object, message: string) =>
      void logged.push(JSON.stringify({ ...fields, message }));
    runner = createProbes({
      database,
      clock: { now: () => Date.now(), monotonic: () => performance.now() + (aheadMs += passesMs) },
      log: { info: tell, warn: tell, error: tell },
    });
    close = async () => {
      await runner.stop();
      await pool.end();
    };
    await runner.load();
    runner.start();
  }
  afterEach(() => close());
  const signal = (id: string) =>
    runner.signals('flights').find(({ reading }) => reading.name === id) as ProbeSignal;
  const read = (id: string) => until(() => signal(id).reading.value !== null, 5_000, `${id} has been read`);
  const failed = (id: string) =>
    until(() => !['it has not been read yet', null].includes(signal(id).detail), 5_000, `${id} has failed`);

  test('before its first answer a probe is unknown', async () => {
    await run({ a: { url: `${base}/hang`, timeoutMs: 5_000 } });
    expect(signal('a')).toMatchObject({
      title: 'a',
      detail: 'it has not been read yet',
      reading: { value: null, ageMs: null, target: 50, worseWhen: 'above', failMode: 'bad' },
    });
    expect(runner.signals('another')).toEqual([]);
  });

  test('a reading keeps its time, and is stale when nothing follows it', async () => {
    await run({ a: { intervalMs: 3_600_000, timeoutMs: 1_000 } });
    await read('a');
    aheadMs = 10_000;
    expect(signal('a').reading.ageMs).toBeGreaterThanOrEqual(10_000);
    expect(signal('a').reading.value).toBe(42.5);
    expect(signal('a').detail).toBeNull();
    aheadMs = 4_000_000;
    expect(signal('a').reading.ageMs).toBeGreaterThan(signal('a').reading.staleAfterMs);
    expect(signal('a').detail).toBe('it has not been read for too long');
  });

  test('goes on though the next turn comes due between two looks at the clock', async () => {
    let asked = 0;
    answers['/counted'] = (response) => {
      asked++;
      response.writeHead(200).end('{"queue":{"length":1}}');
    };
    await run({ a: { url: `${base}/counted` } });
    await read('a');
    passesMs = 18;
    const before = asked;
    await until(() => asked > before + 20, 5_000, 'twenty more turns');
  });

  test('a failure is unknown at once and says why; a success ends it; both are logged once', async () => {
    let fails = false;
    answers['/sometimes'] = (response) => response.writeHead(fails ? 500 : 200).end('{"queue":{"length":1}}');
    await run({ a: { url: `${base}/sometimes` } });
    await read('a');
    fails = true;
    await until(() => signal('a').reading.value === null, 5_000, 'it fails');
    expect(signal('a').detail).toBe('the answer has status 500, not 200');
    const age = signal('a').reading.ageMs ?? 0;
    await until(() => (signal('a').reading.ageMs ?? 0) > age + 250, 5_000, 'it fails more than once');
    fails = false;
    await read('a');
    expect(signal('a').detail).toBeNull();
    expect(logged.map((line) => JSON.parse(line).message)).toEqual([
      'a probe cannot be read',
      'a probe can be read again',
    ]);
  });

  test('at its timeout, whatever the server does: silent, trickling, or not PostgreSQL at all', async () => {
    await run({
      hang: { url: `${base}/hang` },
      trickle: { url: `${base}/trickle` },
      silent: { url: `http://127.0.0.1:${silentPort}/` },
      sql: { kind: 'sql', url: `postgres://a:b@127.0.0.1:${silentPort}/x`, query: 'select 1', pointer: null },
    });
    for (const id of ['hang', 'trickle', 'silent', 'sql']) {
      await failed(id);
      expect(signal(id).detail, id).toBe('no answer within 100 ms');
    }
  });

  test('slow ones delay no other', async () => {
    await run({ quick: { intervalMs: 100, timeoutMs: 900 } });
    await read('quick');
    const { database, pool } = connect(control.url, 1);
    const [quick] = await database.select().from(probes);
    const hanging = Array.from({ length: 5 }, (_, i) => `hang${i}`);
    for (const id of hanging)
      await database.insert(probes).values({
        ...(quick as typeof probes.$inferSelect),
        id,
        url: `${base}/hang`,
        intervalMs: 2_000,
        timeoutMs: 2_000,
      });
    await pool.end();
    await runner.reload();
    let oldestMs = 0;
    await until(
      () => {
        oldestMs = Math.max(oldestMs, signal('quick').reading.ageMs ?? Number.POSITIVE_INFINITY);
        return hanging.every((id) => signal(id).detail === 'no answer within 2000 ms');
      },
      20_000,
      'every hanging one has had its turn',
    );
    // Behind four that hang it would have waited for one of them.
    expect(oldestMs).toBeLessThan(1_900);
  });

  test('one made or removed is known after a reload; the answer of a removed one is dropped', async () => {
    await run({ a: {}, slow: { url: `${base}/slow`, pointer: '/n', timeoutMs: 5_000 } });
    await read('a');
    const { database, pool } = connect(control.url, 1);
    await database.delete(probes);
    await runner.reload();
    expect(runner.signals('flights')).toEqual([]);
    await pool.end();
  });

  test('a stop does not wait for a server that hangs', async () => {
    await run({
      a: { url: `${base}/hang`, timeoutMs: 30_000 },
      b: {
        kind: 'sql',
        url: `postgres://a:b@127.0.0.1:${silentPort}/x`,
        query: 'select 1',
        timeoutMs: 30_000,
      },
    });
    await until(() => silentSockets.size > 0, 5_000, 'it is under way');
    const began = performance.now();
    await runner.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    await until(() => silentSockets.size === 0, 5_000, 'its connection is closed');
    expect(logged).toEqual([]);
  });

  test('a query too long for an embedded database is suspended: the database is free again, and stays so', async () => {
    const sqlProbe = { kind: 'sql', url: target.url, pointer: null } as const;
    await run({
      heavy: { ...sqlProbe, query: 'select count(*) from generate_series(1, 30000000) a where a % 7 = 1' },
      light: { ...sqlProbe, query: 'select max(at) from readings', timeoutMs: 30_000 },
    });
    await failed('heavy');
    expect(signal('heavy')).toMatchObject({
      detail:
        'suspended until it is made anew: its query took the embedded database, which cannot be interrupted, more than 1000 ms',
      reading: { value: null, ageMs: null },
    });
    // The query under way goes to its end. Ten intervals later nobody has asked it again.
    await target.sql('select 1');
    let longestMs = 0;
    const freeAt = performance.now();
    while (performance.now() - freeAt < 1_000) {
      const began = performance.now();
      await target.sql('select 1');
      longestMs = Math.max(longestMs, performance.now() - began);
    }
    expect(longestMs).toBeLessThan(2_500);
    await read('light');
    // A definition that is read again is the same: only a new probe is tried.
    await runner.reload();
    expect(signal('heavy').detail).toMatch(/^suspended/);
    expect(logged.filter((line) => line.includes('heavy'))).toHaveLength(1);
    // Nor does an api that starts anew ask it.
    await runner.stop();
    const { database, pool } = connect(control.url, 1);
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    runner = createProbes({ database, clock, log: { info() {}, warn() {}, error() {} } });
    await runner.load();
    expect(signal('heavy')).toMatchObject({
      detail: expect.stringMatching(/^suspended/),
      reading: { value: null },
    });
    runner.start();
    await read('light');
    const began = performance.now();
    await target.sql('select 1');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(signal('heavy').detail).toMatch(/^suspended/);
    await runner.stop();
    await pool.end();
  });

  test('no word of a secret: not in a signal, not in a log', async () => {
    const secret = 'canary0secret0123456789';
    const port = (web.address() as AddressInfo).port;
    await run({
      http: { url: `http://ada:${secret}@127.0.0.1:${port}/broken?access_token=${secret}` },
      dead: { url: `http://ada:${secret}@127.0.0.1:1/?token=${secret}` },
      name: { url: `http://${secret}.invalid/`, timeoutMs: 20_000 },
      sql: { kind: 'sql', url: `postgres://${secret}:${secret}@127.0.0.1:1/${secret}`, query: 'select 1' },
      data: { kind: 'sql', url: target.url, query: `select '${secret}'::int`, timeoutMs: 5_000 },
    });
    for (const id of ['http', 'dead', 'name', 'sql', 'data']) await failed(id);
    const said = JSON.stringify(['http', 'dead', 'name', 'sql', 'data'].map(signal)) + logged.join();
    expect(logged.length).toBe(5);
    expect(said).not.toContain(secret);
  });
});
