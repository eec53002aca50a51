/**
 * Four replay workers that are on machines of their own as far as anybody can tell: one is killed, one stands still, one no longer reaches the api though
 * it reaches stream and store. What they held is done by the fourth: nothing is lost, nothing counts twice, and it takes two lease periods more at most.
 */
import type { Backfill } from '@spillway/shared/api/backfill';
import { leaseMs } from '@spillway/shared/api/worker-protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { type RedisServer, startRedis } from '../fixtures/redis-server.ts';
import { type SilentWire, startSilentWire } from '../fixtures/silent-wire.ts';
import { type StartedProcess, startProcess } from '../fixtures/started-process.ts';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { appliedIn, quiet, readBackfill, startBackfill, untilState } from '../system/backfills.ts';
import { besideOthers, configurePipeline } from '../system/pipelines.ts';
import { type StartedSystem, startSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const TOKEN = 'w'.repeat(40);
const LAP_MS = 181 * 86_400_000;
/** Two days: the same flights in both laps. */
const window = (lap: number) => {
  const from = Date.UTC(2001, 1, 5) + lap * LAP_MS;
  return { from, to: from + 2 * 86_400_000 };
};

let postgres: PostgresServer;
let redis: RedisServer;
let oracle: FlightsOracle;
let system: StartedSystem;
let wire: SilentWire;
const workers: StartedProcess[] = [];

beforeAll(async () => {
  [oracle, redis, postgres] = await Promise.all([FlightsOracle.open(), startRedis(), startPostgres()]);
  await postgres.sql('create database control');
  await postgres.sql('create database store');
  const env = {
    SPILLWAY_STORE_URL: postgres.url('store'),
    SPILLWAY_STREAM_URL: redis.url,
    SPILLWAY_WORKER_TOKEN: TOKEN,
  };
  wire = await startSilentWire(() => Number(new URL(system.url).port));
  const cutOff = `127.0.0.1:${wire.port}`;
  system = await startSystem({
    env: {
      ...env,
      SPILLWAY_HOSTS: cutOff,
      SPILLWAY_DATABASE_URL: postgres.url('control'),
      SPILLWAY_DEMO: 'flights',
      SPILLWAY_DEMO_LIVE: '20',
      SPILLWAY_WORKERS: '0',
    },
  });
  const start = (role: string, api = system.url) => {
    const worker = startProcess('worker.ts', ['--role', role, '--api', api], {
      env: { PATH: process.env['PATH'], ...env, SPILLWAY_WORKER_LEASES: '2' },
    });
    workers.push(worker);
    return worker;
  };
  start('apply');
  for (const api of [system.url, system.url, `http://${cutOff}`, system.url]) start('replay', api);
  await Promise.all(workers.map(({ ready }) => ready));
  await quiet(system);
  // How fast it goes is to be a matter of its workers alone, on a busy machine, too.
  await configurePipeline(system, besideOthers);
}, 300_000);

afterAll(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  oracle?.close();
  await wire?.close();
  await system?.remove();
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

const start = (lap: number): Promise<Backfill> => {
  const { from, to } = window(lap);
  return startBackfill(system, {
    window: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    subwindow: 'PT1H',
    limits: { eventsPerSecond: 2_000, concurrency: 8 },
  });
};
const secondsOf = ({ startedAt, endedAt }: Backfill) =>
  (Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '')) / 1000;
const holders = async () => {
  const { items } = (await system.call('GET', '/v1/workers')).body;
  return (items as { pid: number; leases: number }[]).flatMap(({ pid, leases }) => (leases > 0 ? [pid] : []));
};

it('does what three of four workers held when they were lost', { timeout: 300_000 }, async () => {
  const undisturbed = await untilState(system, (await start(1)).id, 'completed', 120_000);

  const { id } = await start(2);
  await until('every worker to hold some of it', async () => (await holders()).length === 4);
  await until('something applied', async () => appliedIn(await readBackfill(system, id)) > 2_000);
  const [killed, frozen] = workers.slice(1) as [StartedProcess, StartedProcess];
  killed.child.kill('SIGKILL');
  frozen.child.kill('SIGSTOP');
  wire.fallSilent();

  const done = await untilState(system, id, 'completed', 240_000);
  console.info(`undisturbed ${secondsOf(undisturbed)} s, three workers lost ${secondsOf(done)} s`);
  expect(secondsOf(done) - secondsOf(undisturbed)).toBeLessThanOrEqual((2 * leaseMs) / 1000);
  const truth = await oracle.buckets(window(2));
  expect(done.verification).toMatchObject({ state: 'matched', bucketsChecked: truth.length });

  // The one that stood still goes on where it stopped: what it believes to hold is another's, and done. The stream itself counts.
  const added = async () => {
    const told = (await redis
      .client()
      .call('XINFO', 'STREAM', 'spillway:{flights-replay}:entries')) as unknown[];
    return told[told.indexOf('entries-added') + 1];
  };
  const before = await added();
  frozen.child.kill('SIGCONT');
  const ticked = async (afterMs: number) => {
    const { items } = (await system.call('GET', '/v1/workers')).body;
    const own = (items as { pid: number; state: string; lastTickAt: string }[]).find(
      ({ pid, state }) => pid === frozen.pid && state === 'working',
    );
    const atMs = Date.parse(own?.lastTickAt ?? '');
    return atMs > afterMs && atMs;
  };
  const backMs = await until('the frozen one to be heard of', () => ticked(0));
  // Several ticks: what it had in hand is out by then.
  await until('it to be heard of again', () => ticked(backMs + 2_000));
  expect(await added()).toBe(before);
  expect(await compareWithOracle(system, oracle, window(2))).toEqual({
    checked: truth.length,
    differing: [],
  });
});
