/** The whole product on servers: PostgreSQL for both databases, Redis for the streams. Half of January is filled, though PostgreSQL and the processes end under way. */
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { type RedisServer, startRedis } from '../fixtures/redis-server.ts';
import { isAlive } from '../fixtures/started-process.ts';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { quiet, readBackfill, startBackfill, untilState } from '../system/backfills.ts';
import { besideOthers, configurePipeline } from '../system/pipelines.ts';
import { pidOf, pidsOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, startSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const days = { from: Date.UTC(2001, 0), to: Date.UTC(2001, 0, 17) };
const window = { from: new Date(days.from).toISOString(), to: new Date(days.to).toISOString() };

describe('the demo on PostgreSQL and Redis', { timeout: 300_000 }, () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let oracle: FlightsOracle;
  let system: StartedSystem;

  beforeAll(async () => {
    [oracle, redis, postgres] = await Promise.all([FlightsOracle.open(), startRedis(), startPostgres()]);
    for (const statement of [
      `create role spillway login password '${PASSWORD}'`,
      'create database control owner spillway',
      'create database store owner spillway',
    ])
      await postgres.sql(statement);
    const url = (database: string) => postgres.url(database).replace('//postgres:', '//spillway:');
    system = await startSystem({
      env: {
        SPILLWAY_DATABASE_URL: url('control'),
        SPILLWAY_STORE_URL: url('store'),
        SPILLWAY_STREAM_URL: redis.url,
        SPILLWAY_DEMO: 'flights',
      },
    });
    await quiet(system);
    await configurePipeline(system, besideOthers);
  }, 300_000);

  afterAll(async () => {
    oracle?.close();
    await system?.remove();
    await Promise.all([redis?.stop(), postgres?.stop()]);
  });

  it('starts no database of its own', async () => {
    await pidOf(system, 'api');
    expect(pidsOf(system, 'control database')).toEqual([]);
    expect(pidsOf(system, 'store database')).toEqual([]);
  });

  /** The process that applies this lane and no other. Of one that was killed the api hears when its successor joins. */
  const applierOf = async (lane: 'live' | 'replay'): Promise<number | undefined> => {
    const { items } = (await system.call('GET', '/v1/workers')).body;
    return items.find(
      ({ pid, state, lanes }: { pid: number; state: string; lanes?: string[] }) =>
        state === 'working' && lanes?.length === 1 && lanes[0] === lane && isAlive(pid),
    )?.pid;
  };

  it('applies live and replay in a process each', async () => {
    const live = await until('a process for live', () => applierOf('live'));
    const replay = await until('a process for replay', () => applierOf('replay'));
    expect(pidsOf(system, 'apply worker').toSorted()).toEqual([live, replay].toSorted());
    // Of its own only who has the right gives up what it may have to take back.
    if (process.getuid?.() === 0)
      await until('replay to claim less of the cores', () => getPriority(replay) === 8);
    expect(getPriority(live)).toBe(getPriority());
  });

  it('fills sixteen days, every bucket as the oracle has it, though server and workers end under way', async () => {
    const { id } = await startBackfill(system, { window, limits: { share: 1 } });
    const applied = async () => (await readBackfill(system, id)).progress.eventsApplied ?? 0;
    const more = async (what: string) => {
      const before = await applied();
      await until(what, async () => (await applied()) > before + 5_000);
    };
    await more('the replay to run');
    await postgres.crash();
    await postgres.startAgain();
    await more('it to go on after the server ended');
    await postgres.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'spillway-%' or datname in ('control', 'store')`,
    );
    for (const role of ['apply worker', 'replay worker'] as const) {
      const pid = await pidOf(system, role);
      process.kill(pid, 'SIGKILL');
      await successorOf(system, role, pid);
    }
    await more('it to go on after its processes ended');
    for (const lane of ['live', 'replay'] as const) {
      const pid = await until(`a process for ${lane}`, () => applierOf(lane));
      process.kill(pid, 'SIGKILL');
      await more(`it to go on after the process for ${lane} ended`);
    }
    // Nobody applies both any more once both run again.
    const live = await until('a process for live', () => applierOf('live'));
    await until('a process for replay', () => applierOf('replay'));
    // Whichever of them it is by now.
    await until('live to claim its part again', () => getPriority(live) === getPriority());

    const done = await untilState(system, id, 'completed', 240_000);
    const truth = await oracle.buckets(days);
    expect(done.failure).toBeNull();
    expect(done.verification).toMatchObject({ state: 'matched', bucketsChecked: truth.length });
    expect(await compareWithOracle(system, oracle, days)).toEqual({
      checked: truth.length,
      differing: [],
    });
    expect((done.progress.eventsApplied ?? 0) + (done.progress.eventsDuplicate ?? 0)).toBeGreaterThanOrEqual(
      done.progress.eventsExpected ?? Number.POSITIVE_INFINITY,
    );
  });

  it('lets nobody read a password of it', () => {
    const log = readFileSync(join(system.dataDir, 'logs/spillway.log'), 'utf8');
    expect(log).toContain('[redacted]');
    expect(system.output() + log).not.toContain(PASSWORD);
  });
});
