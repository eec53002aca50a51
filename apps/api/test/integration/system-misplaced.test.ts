/**
 * Workers of which one setting is wrong, beside those that are right: with another store, with another database of the stream server, with streams of their
 * own. Each ends with a sentence before it has done anything, and a backfill that is under way is done and proved as if they had never been there.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PASSWORD, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { type RedisServer, startRedis } from '../fixtures/redis-server.ts';
import { type StartedProcess, startProcess } from '../fixtures/started-process.ts';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { appliedIn, quiet, readBackfill, startBackfill, throttle, untilState } from '../system/backfills.ts';
import { besideOthers, configurePipeline } from '../system/pipelines.ts';
import { type StartedSystem, startSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

/** Which a service manager tries again: it may be the installation that is mended. */
const EXIT_MISPLACED = 69;
const TOKEN = 'w'.repeat(40);
const day = { from: Date.UTC(2001, 1, 5), to: Date.UTC(2001, 1, 6) };

let postgres: PostgresServer;
let redis: RedisServer;
let oracle: FlightsOracle;
let system: StartedSystem;
const workers: StartedProcess[] = [];

const right = () => ({
  SPILLWAY_STORE_URL: postgres.url('store'),
  SPILLWAY_STREAM_URL: `${redis.url}/1`,
  SPILLWAY_WORKER_TOKEN: TOKEN,
});

function start(role: string, env: Record<string, string>): StartedProcess {
  const worker = startProcess('worker.ts', ['--role', role, '--api', system.url], {
    env: { PATH: process.env['PATH'], SPILLWAY_DATA_DIR: `${system.dataDir}/elsewhere`, ...right(), ...env },
  });
  workers.push(worker);
  return worker;
}

beforeAll(async () => {
  [oracle, redis, postgres] = await Promise.all([FlightsOracle.open(), startRedis(), startPostgres()]);
  for (const name of ['control', 'store', 'other']) await postgres.sql(`create database ${name}`);
  system = await startSystem({
    env: {
      ...right(),
      SPILLWAY_DATABASE_URL: postgres.url('control'),
      SPILLWAY_DEMO: 'flights',
      SPILLWAY_DEMO_LIVE: '20',
      SPILLWAY_WORKERS: '0',
    },
  });
  await Promise.all(['apply', 'replay'].map((role) => start(role, {}).ready));
  await quiet(system);
  await configurePipeline(system, besideOthers);
}, 300_000);

afterAll(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  oracle?.close();
  await system?.remove();
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

async function expectRefused({ exit, output }: StartedProcess, says: RegExp): Promise<void> {
  expect((await exit).code).toBe(EXIT_MISPLACED);
  expect(output.stderr).toMatch(says);
  expect(output.stderr).not.toContain(PASSWORD);
}

it('ends those that are led elsewhere, and loses nothing', { timeout: 300_000 }, async () => {
  const { id } = await startBackfill(system, {
    window: { from: new Date(day.from).toISOString(), to: new Date(day.to).toISOString() },
    subwindow: 'PT1H',
    limits: { eventsPerSecond: 500, concurrency: 8 },
  });
  const applied = async () => appliedIn(await readBackfill(system, id));
  await until('something applied', async () => (await applied()) > 0);

  const otherStore = { SPILLWAY_STORE_URL: postgres.url('other') };
  const sentences = {
    store:
      /SPILLWAY_STORE_URL: .*is database other at 127\.0\.0\.1:\d+, .* database store at 127\.0\.0\.1:\d+ \(store_mismatch\)/,
    redis:
      /SPILLWAY_STREAM_URL: .* are database 2 of Redis at 127\.0\.0\.1:\d+, .* database 1 of Redis at 127\.0\.0\.1:\d+ \(stream_mismatch\)/,
    embedded:
      /SPILLWAY_STREAM_URL: .* are embedded in \S+elsewhere of .* database 1 of Redis .*\(stream_mismatch\)/,
  };
  await expectRefused(start('replay', { SPILLWAY_STREAM_URL: `${redis.url}/2` }), sentences.redis);
  await expectRefused(start('replay', { SPILLWAY_STREAM_URL: 'embedded:' }), sentences.embedded);
  await expectRefused(start('apply', otherStore), sentences.store);

  // Nor does one take over when those that are right are gone.
  const [apply] = workers as [StartedProcess];
  apply.child.kill('SIGTERM');
  await apply.exit;
  // It has said that it leaves: nobody is lost.
  const { items } = (await system.call('GET', '/v1/workers')).body;
  expect(
    (items as { role: string; state: string }[]).map(({ role, state }) => `${role} ${state}`).toSorted(),
  ).toEqual(['feed working', 'replay working']);
  await expectRefused(start('apply', otherStore), sentences.store);
  // Nor is anything made in a database that is not ours.
  expect((await postgres.sql(`select to_regnamespace('spillway') as made`, 'other')).rows).toEqual([
    { made: null },
  ]);
  start('apply', {});

  await throttle(system, id, { eventsPerSecond: null, share: 1 });
  const done = await untilState(system, id, 'completed', 240_000);
  const truth = await oracle.buckets(day);
  expect(done.verification).toMatchObject({ state: 'matched', bucketsChecked: truth.length });
  expect((await compareWithOracle(system, oracle, day)).differing).toEqual([]);
  const spilled = await redis.client().call('INFO', 'KEYSPACE');
  expect(String(spilled)).toMatch(/db2:keys=1,/);
});
