/** The whole product with its streams on a real Redis server, which is killed in the middle as well. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, SAFE, startRedis } from '../fixtures/redis-server.ts';
import { startProcess } from '../fixtures/started-process.ts';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { appliedIn, quiet, readBackfill, startBackfill, throttle, untilState } from '../system/backfills.ts';
import { besideOthers, configurePipeline } from '../system/pipelines.ts';
import { pidOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, startSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const EXIT_WRONG_SETTINGS = 78;
const day = { from: Date.UTC(2001, 0, 10), to: Date.UTC(2001, 0, 11) };
const window = { from: new Date(day.from).toISOString(), to: new Date(day.to).toISOString() };

describe('the demo on Redis', { timeout: 300_000 }, () => {
  let redis: RedisServer;
  let oracle: FlightsOracle;
  let system: StartedSystem;

  beforeAll(async () => {
    [oracle, redis] = await Promise.all([FlightsOracle.open(), startRedis()]);
    system = await startSystem({ env: { SPILLWAY_STREAM_URL: redis.url, SPILLWAY_DEMO: 'flights' } });
    await quiet(system);
    await configurePipeline(system, besideOthers);
  }, 300_000);

  afterAll(async () => {
    oracle?.close();
    await system?.remove();
    await redis?.stop();
  });

  it('completes a backfill with proof, though both workers and the server are killed under way', async () => {
    const { id } = await startBackfill(system, {
      window,
      subwindow: 'PT1H',
      limits: { eventsPerSecond: 1_000 },
    });
    const applied = async () => appliedIn(await readBackfill(system, id));
    await until('something applied', async () => (await applied()) > 0);
    for (const role of ['replay worker', 'apply worker'] as const) {
      const pid = await pidOf(system, role);
      process.kill(pid, 'SIGKILL');
      await successorOf(system, role, pid);
    }
    await redis.kill();
    const before = await applied();
    await redis.startAgain();
    await until('more applied', async () => (await applied()) > before);

    // What is left need not be slow any more.
    await throttle(system, id, { eventsPerSecond: null, share: 1 });
    const done = await untilState(system, id, 'completed', 240_000);
    const truth = await oracle.buckets(day);
    expect(done.verification).toMatchObject({ state: 'matched', bucketsChecked: truth.length });
    expect(done.failure).toBeNull();
    const { checked, differing } = await compareWithOracle(system, oracle, day);
    expect(differing).toEqual([]);
    expect(checked).toBe(truth.length);
  });

  it('tells how its streams stand, and trims what is applied', async () => {
    const replay = await until('an empty replay stream', async () => {
      const { items } = (await system.call('GET', '/v1/pipelines/flights/streams')).body;
      const found = items.find(({ name }: { name: string }) => name === 'flights-replay');
      return found?.length === 0 && found;
    });
    expect(replay).toMatchObject({ length: 0, lengthBytes: 0, consumerLag: 0, consumerLagMs: 0 });
    const groups = await redis.client().call('XINFO', 'GROUPS', 'spillway:{flights-live}:entries');
    expect((groups as unknown[][]).map(([, name]) => name)).toEqual(['applier']);
  });
});

describe('a start on a backbone that cannot be', { timeout: 60_000 }, () => {
  it.each([
    [
      'redis://:canary@',
      ['--requirepass', 'other'],
      /SPILLWAY_STREAM_URL: .*refuses the password.*stream_denied/,
    ],
    [
      'redis://',
      ['--maxmemory-policy', 'allkeys-lru'],
      /maxmemory-policy is allkeys-lru.*SPILLWAY_STREAM_ACCEPT=eviction.*stream_refused/,
    ],
  ])('%s with %j ends at once, and says why', async (scheme, settings, says) => {
    const redis = await startRedis([...SAFE, ...settings]);
    try {
      const SPILLWAY_STREAM_URL = redis.url.replace('redis://', scheme);
      const { exit, output } = startProcess('start.ts', [], { env: { ...process.env, SPILLWAY_STREAM_URL } });
      expect((await exit).code).toBe(EXIT_WRONG_SETTINGS);
      expect(output.stderr).toMatch(says);
      expect(output.stderr + output.stdout).not.toContain('canary');
    } finally {
      await redis.stop();
    }
  });
});
