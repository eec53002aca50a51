/**
 * A pipeline of somebody's own under the started system: `examples/count-by-airport.mjs` as it stands, on a real Redis, counts what Spillway
 * publishes, and its counts are held against DuckDB's reading of the file.
 */
import { dirname } from 'node:path';
import type { Redis } from 'iovalkey';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flightsHistory } from '../../src/demo/flights.ts';
import { query } from '../conformance/source/parquet-fixture.ts';
import { type RedisServer, SAFE, startRedis } from '../fixtures/redis-server.ts';
import { accepted } from '../system/api-client.ts';
import { readBackfill, startBackfill, untilState } from '../system/backfills.ts';
import { countsOf, type ExternalConsumer, startConsumer, unfinishedOf } from '../system/external-consumer.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import type { StartedSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const STREAM = 'flights:replay';
const GROUP = 'counts';
const PASSWORD = 'canary-of-redis';
const HIGH_WATER_MARK = 2_000;
const { file } = flightsHistory();

let redis: RedisServer;
let client: Redis;
let system: StartedSystem;
let consumer: ExternalConsumer;

const definition = () => ({
  id: 'airports',
  title: 'Airports, counted elsewhere',
  kind: 'external',
  external: {
    url: `redis://:${PASSWORD}@127.0.0.1:${redis.port}`,
    stream: STREAM,
    groups: [GROUP],
    envelope: { type: { text: 'flights.departed' }, data: { value: { field: 'value' } } },
  },
  route: { kind: 'separate', decision: 'The live consumers read another stream.' },
  capacityEventsPerSecond: 50_000,
  highWaterMark: HIGH_WATER_MARK,
});

const consume = (PAUSE_MS = '0') =>
  startConsumer({ REDIS_URL: definition().external.url, STREAM, GROUP, PAUSE_MS });

/** Days of January, half-open, by airport: the truth from the file itself. */
async function truth(fromDay: number, toDay: number): Promise<unknown[][]> {
  const rows = await query(`SELECT origin, count(*)::INTEGER, sum(delay)::INTEGER FROM read_parquet('${file}')
    WHERE date >= TIMESTAMP '2001-01-${pad(fromDay)}' AND date < TIMESTAMP '2001-01-${pad(toDay)}' GROUP BY ALL`);
  return rows.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

const pad = (day: number) => String(day).padStart(2, '0');
const days = (from: number, to: number) => ({
  from: `2001-01-${pad(from)}T00:00:00Z`,
  to: `2001-01-${pad(to)}T00:00:00Z`,
});

function start(from: number, to: number, eventsPerSecond: number) {
  return startBackfill(system, {
    pipelineId: 'airports',
    window: days(from, to),
    subwindow: 'PT1H',
    limits: { eventsPerSecond },
  });
}

beforeAll(async () => {
  [redis, system] = await Promise.all([
    startRedis([...SAFE, '--requirepass', PASSWORD]),
    startMeasuredSystem({ SPILLWAY_SOURCE_DIRS: dirname(file) }),
  ]);
  client = redis.client(PASSWORD);
  consumer = await consume();
}, 300_000);

afterAll(async () => {
  await consumer?.kill();
  await system?.remove();
  await redis?.stop();
});

describe('what cannot be', () => {
  const refused = async (change: object) => {
    const body = { ...definition(), external: { ...definition().external, ...change } };
    const { status, body: problem } = await system.call('POST', '/v1/pipelines', body);
    expect(JSON.stringify(problem)).not.toContain(PASSWORD);
    return { status, ...problem };
  };

  it('is refused by name, and nothing is made of it', async () => {
    expect(await refused({ url: 'redis://127.0.0.1:1' })).toMatchObject({
      status: 422,
      code: 'stream_unreachable',
      detail: expect.stringContaining('127.0.0.1:1'),
    });
    expect(await refused({ url: `redis://:wrong-${PASSWORD}@127.0.0.1:${redis.port}` })).toMatchObject({
      code: 'stream_denied',
    });
    expect(await refused({ url: `redis://:${PASSWORD}@127.0.0.1:${redis.port}/?x` })).toMatchObject({
      code: 'invalid_pipeline',
    });
    expect(await refused({ stream: 'nowhere' })).toMatchObject({
      code: 'stream_missing',
      detail: expect.stringContaining('nowhere'),
    });
    await client.set('a-text', 'x');
    expect(await refused({ stream: 'a-text' })).toMatchObject({
      code: 'invalid_pipeline',
      detail: expect.stringContaining('is not a stream'),
    });
    await client.del('a-text');
    expect(await refused({ groups: [GROUP, 'nobody'] })).toMatchObject({
      code: 'group_missing',
      detail: expect.stringContaining('nobody'),
    });
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await refused({})).toMatchObject({
      code: 'stream_refused',
      detail: expect.stringContaining('maxmemory-policy is allkeys-lru'),
    });
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    const { items } = (await system.call('GET', '/v1/pipelines')).body;
    expect(items.map(({ id }: { id: string }) => id)).toEqual(['flights']);
    expect(await client.keys('*')).toEqual([STREAM]);
  });
});

describe('an external pipeline', { timeout: 300_000 }, () => {
  it('is made, and shows no password', async () => {
    const made = accepted('make it', 201, await system.call('POST', '/v1/pipelines', definition()));
    expect(made).toMatchObject({ kind: 'external', external: { stream: STREAM, groups: [GROUP] } });
    expect(JSON.stringify(made)).not.toContain(PASSWORD);
    const again = await system.call('POST', '/v1/pipelines', definition());
    expect(again).toMatchObject({ status: 409, body: { code: 'pipeline_exists' } });
    await system.call('POST', '/v1/sources', {
      id: 'us',
      title: 'All airports',
      pipelineId: 'airports',
      history: { kind: 'parquet', path: file, columns: flightsHistory().columns },
    });
    await until('its source counted', async () => {
      const source = (await system.call('GET', '/v1/sources/us')).body;
      if (source.failure !== null) throw new Error(JSON.stringify(source.failure));
      return source.statistics !== null;
    });
  });

  it('has each event of three days counted once, and claims nothing of it', async () => {
    const { id } = await start(1, 4, 20_000);
    const done = await untilState(system, id, 'completed');
    expect(await countsOf(client, GROUP)).toEqual(await truth(1, 4));
    const events = await client.scard(`${GROUP}:ids`);
    expect(done.progress).toMatchObject({
      subwindowsDone: 72,
      eventsPublished: events,
      eventsApplied: null,
      eventsDuplicate: null,
      appliedEventsPerSecond: null,
      percent: 100,
    });
    expect(done.verification).toMatchObject({
      state: 'unavailable',
      eventsChecked: 0,
      detail: expect.stringContaining('Not verifiable by Spillway'),
    });
    // Nothing but the events is on their stream, and nothing was taken from it.
    expect(await client.xlen(STREAM)).toBe(events);
    const [[, [field, text] = []] = []] = await client.xrange(STREAM, '-', '+', 'COUNT', 1);
    expect(field).toBe('event');
    expect(JSON.parse(text as string)).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^flights-3m\.parquet#\d+$/),
      source: 'us',
      type: 'flights.departed',
      subject: expect.stringMatching(/^[A-Z]{3}$/),
      time: expect.stringMatching(/^2001-01-0[123]T/),
      datacontenttype: 'application/json',
      backfillid: id,
      data: { value: expect.any(Number) },
    });
  });

  it('has no store that could be asked', async () => {
    const of = (path: string) => system.call('GET', `/v1/pipelines/airports/${path}`);
    const window = `from=${days(1, 2).from}&to=${days(1, 2).to}`;
    expect(await of(`buckets?${window}`)).toMatchObject({ status: 409, body: { code: 'pipeline_external' } });
    const { items } = (await of(`coverage?${window}&step=P1D`)).body;
    expect(items).toEqual([{ start: expect.any(String), expected: expect.any(Number), stored: null }]);
    expect(await system.call('POST', '/v1/pipelines/airports/drills', { forMs: 1_000 })).toMatchObject({
      status: 409,
      body: { code: 'pipeline_external' },
    });
  });

  it('waits with its subwindows for a consumer that was killed, and completes them then', async () => {
    const { id } = await start(4, 6, 4_000);
    await until('some of it done', async () => (await readBackfill(system, id)).progress.subwindowsDone > 0);
    await consumer.kill();
    await until(
      'the reader stopped at the mark',
      async () => (await unfinishedOf(client, STREAM, GROUP)) >= HIGH_WATER_MARK * 0.9,
    );
    const stood = await readBackfill(system, id);
    expect(stood.state).toBe('running');
    expect(stood.progress.subwindowsDone).toBeLessThan(48);
    consumer = await consume();
    const done = await untilState(system, id, 'completed');
    expect(done.progress.subwindowsDone).toBe(48);
    expect(await countsOf(client, GROUP)).toEqual(await truth(1, 6));
  });

  it('is held at the high-water mark by a consumer that is slow', async () => {
    await consumer.kill();
    consumer = await consume('500');
    const { id } = await start(6, 7, 20_000);
    let most = 0;
    let closed = false;
    await until('it ended', async () => {
      most = Math.max(most, await unfinishedOf(client, STREAM, GROUP));
      const { body } = await system.call('GET', '/v1/pipelines/airports/streams');
      closed ||= body.items[0].consumerLag >= HIGH_WATER_MARK * 0.4;
      return (await readBackfill(system, id)).state === 'completed';
    });
    expect(most).toBeLessThanOrEqual(HIGH_WATER_MARK);
    expect(most).toBeGreaterThan(HIGH_WATER_MARK / 2);
    expect(closed).toBe(true);
    expect(await countsOf(client, GROUP)).toEqual(await truth(1, 7));
  });

  it('leaves the pipeline beside it as it was', async () => {
    const { id } = await startBackfill(system, {
      window: { from: '2001-01-10T00:00:00Z', to: '2001-01-10T06:00:00Z' },
      subwindow: 'PT1H',
      limits: { eventsPerSecond: 2_000 },
    });
    expect((await untilState(system, id, 'completed')).verification.state).toBe('matched');
  });

  it('leaves no password anywhere', () => {
    expect(system.output()).not.toContain(PASSWORD);
  });
});
