/** The probes of a pipeline, each in its turn, against real servers: nothing they do holds up anything else. */
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ProbeSignal } from '../../src/control-plane/context.ts';
import { connect } from '../../src/control-plane/database/database.ts';
import { pipelines, probes } from '../../src/control-plane/database/schema.ts';
import { createProbes, type Probes } from '../../src/control-plane/probes/runner.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';
import { type ProbedServers, startProbedServers } from '../fixtures/probed-servers.ts';
import { until } from '../fixtures/started-process.ts';

let control: ControlDatabase;
let target: EmbeddedStoreDatabase;
let servers: ProbedServers;

beforeAll(async () => {
  [control, target, servers] = await Promise.all([
    startControlDatabase(),
    EmbeddedStoreDatabase.start(),
    startProbedServers(),
  ]);
  await target.sql('create table readings (at int primary key); insert into readings values (1), (2)');
});
afterAll(async () => {
  servers?.close();
  await Promise.all([control?.end(), target?.remove()]);
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
        url: `${servers.base}/number`,
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
    await run({ a: { url: `${servers.base}/hang`, timeoutMs: 5_000 } });
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
    servers.answers['/counted'] = (response) => {
      asked++;
      response.writeHead(200).end('{"queue":{"length":1}}');
    };
    await run({ a: { url: `${servers.base}/counted` } });
    await read('a');
    passesMs = 18;
    const before = asked;
    await until(() => asked > before + 20, 5_000, 'twenty more turns');
  });

  test('a failure is unknown at once and says why; a success ends it; both are logged once', async () => {
    let fails = false;
    servers.answers['/sometimes'] = (response) =>
      response.writeHead(fails ? 500 : 200).end('{"queue":{"length":1}}');
    await run({ a: { url: `${servers.base}/sometimes` } });
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
      hang: { url: `${servers.base}/hang` },
      trickle: { url: `${servers.base}/trickle` },
      silent: { url: `http://127.0.0.1:${servers.silentPort}/` },
      sql: {
        kind: 'sql',
        url: `postgres://a:b@127.0.0.1:${servers.silentPort}/x`,
        query: 'select 1',
        pointer: null,
      },
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
        url: `${servers.base}/hang`,
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
    await run({ a: {}, slow: { url: `${servers.base}/slow`, pointer: '/n', timeoutMs: 5_000 } });
    await read('a');
    const { database, pool } = connect(control.url, 1);
    await database.delete(probes);
    await runner.reload();
    expect(runner.signals('flights')).toEqual([]);
    await pool.end();
  });

  test('a stop does not wait for a server that hangs', async () => {
    await run({
      a: { url: `${servers.base}/hang`, timeoutMs: 30_000 },
      b: {
        kind: 'sql',
        url: `postgres://a:b@127.0.0.1:${servers.silentPort}/x`,
        query: 'select 1',
        timeoutMs: 30_000,
      },
    });
    await until(() => servers.silentSockets.size > 0, 5_000, 'it is under way');
    const began = performance.now();
    await runner.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    await until(() => servers.silentSockets.size === 0, 5_000, 'its connection is closed');
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
    const port = (servers.web.address() as AddressInfo).port;
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
