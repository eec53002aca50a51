/**
 * What a user would write instead: live traffic on a Redis stream, a replay "as fast as possible" on another or on the same, a
 * consumer that inserts into PostgreSQL. What every ratio of the governor's arms is compared with.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'iovalkey';
import pg from 'pg';
import { until } from '../../apps/api/test/system/until.ts';
import type { Applied } from '../by-hand/consume.ts';
import { type Servers, startServers } from '../by-hand/servers.ts';
import { backlog, createStreams, publishLive, replayStreamOf, type Topology } from '../by-hand/streams.ts';
import { createTables, stall } from '../by-hand/table.ts';
import { type Figure, figure, percentile } from '../figures.ts';
import { measured } from '../quick.ts';

const LIVE_EVENTS_PER_SECOND = 1_000;
const EVENTS = measured(400_000, 100_000);
const STALL_EVENTS = measured(1_000_000, 200_000);
const WARM_MS = 3_000;
const REST_MS = measured(15_000, 4_000);
const STALL_MS = measured(9_000, 3_000);
/** Entries that still wait when the replay counts as applied. */
const DRAINED = 100;

export async function byHandArm(): Promise<Figure[]> {
  const servers = await startServers();
  try {
    return [
      ...(await storm(servers, 'separate')),
      ...(await storm(servers, 'shared')),
      await stalled(servers),
    ];
  } finally {
    await servers.stop();
  }
}

/** Live beside a replay as fast as it goes, with a consumer for each stream. */
export async function storm(servers: Servers, topology: Topology): Promise<Figure[]> {
  const running = await begin(servers, topology);
  try {
    await delay(WARM_MS);
    const restFrom = Date.now();
    await delay(REST_MS);
    const from = Date.now();
    const appliedBefore = running.applied();
    const stream = replayStreamOf(topology);
    const replay = running.replay(stream, EVENTS);
    let longest = 0;
    await until('the replay to be applied', async () => {
      const { waiting } = await backlog(running.redis, stream);
      longest = Math.max(longest, waiting);
      return replay.publishedAt() !== null && waiting < DRAINED;
    });
    const to = Date.now();
    // What was applied last is told within half a second.
    await delay(700);
    const rest = running.freshness(restFrom, from);
    const inStorm = running.freshness(from, to);
    const [restP99, stormP99] = [percentile(rest, 0.99), percentile(inStorm, 0.99)];
    const detail = {
      liveEvents: { rest: rest.length, storm: inStorm.length },
      publishedAfterMs: (replay.publishedAt() ?? Number.NaN) - from,
    };
    const name = (what: string) => `by hand, ${topology}: ${what}`;
    return [
      figure(name('live freshness p50 at rest'), percentile(rest, 0.5), 'ms'),
      figure(name('live freshness p99 at rest'), restP99, 'ms'),
      figure(name('live freshness p50 during the replay'), percentile(inStorm, 0.5), 'ms'),
      figure(name('live freshness p99 during the replay'), stormP99, 'ms', null, detail),
      figure(name('p99 during the replay ÷ at rest'), stormP99 / restP99, '×'),
      figure(name('replayed'), (EVENTS / (to - from)) * 1000, 'events/s', null, {
        appliedWithLive: running.applied() - appliedBefore,
      }),
      figure(name('longest lag'), longest, 'entries'),
    ];
  } finally {
    await running.end();
  }
}

async function stalled(servers: Servers): Promise<Figure> {
  const running = await begin(servers, 'separate');
  const holder = new pg.Client(servers.postgresUrl);
  try {
    await holder.connect();
    const replay = running.replay('replay', STALL_EVENTS);
    await until('the replay to run', async () => (await running.redis.xlen('replay')) > 20_000);
    await holder.query(stall);
    await delay(STALL_MS);
    const { waiting, pending } = await backlog(running.redis, 'replay');
    return figure(
      `by hand: stream length ${STALL_MS / 1000} s into a store stall`,
      waiting + pending,
      'entries',
      null,
      {
        stillPublishing: replay.publishedAt() === null,
      },
    );
  } finally {
    // The lock ends with its connection.
    await holder.end();
    await running.end();
  }
}

interface Replay {
  /** When all were on the stream, epoch ms; null until then. Throws when it ended without. */
  publishedAt(): number | null;
}

interface Running {
  readonly redis: Redis;
  /** All events, since the beginning. */
  applied(): number;
  /** Of live events published in `[from, to)`, epoch ms. */
  freshness(from: number, to: number): number[];
  replay(stream: string, events: number): Replay;
  end(): Promise<void>;
}

async function begin({ redisUrl, postgresUrl }: Servers, topology: Topology): Promise<Running> {
  const redis = new Redis(redisUrl);
  const client = new pg.Client(postgresUrl);
  await client.connect();
  await createTables(client);
  await client.end();
  await createStreams(redis);
  let applied = 0;
  const freshness: number[] = [];
  const children: ChildProcess[] = [];
  const run = (script: string, ...args: string[]) => {
    const child = fork(fileURLToPath(new URL(`../by-hand/${script}.ts`, import.meta.url)), args);
    children.push(child);
    return child;
  };
  for (const stream of topology === 'shared' ? ['live'] : ['live', 'replay'])
    run('consume', redisUrl, postgresUrl, stream).on('message', (message) => {
      const { events, freshness: more } = message as Applied;
      applied += events;
      freshness.push(...more);
    });
  const stopLive = publishLive(redis, LIVE_EVENTS_PER_SECOND);
  return {
    redis,
    applied: () => applied,
    freshness(from, to) {
      const chosen: number[] = [];
      for (let place = 0; place < freshness.length; place += 2) {
        const at = freshness[place] as number;
        if (at >= from && at < to) chosen.push(freshness[place + 1] as number);
      }
      return chosen;
    },
    replay(stream, events) {
      const child = run('replay', redisUrl, stream, String(events));
      let publishedAt: number | null = null;
      child.once('message', () => void (publishedAt = Date.now()));
      return {
        publishedAt() {
          if (publishedAt === null && child.exitCode !== null)
            throw new Error(`the replay ended with ${child.exitCode}`);
          return publishedAt;
        },
      };
    },
    async end() {
      stopLive();
      for (const child of children) child.kill('SIGKILL');
      redis.disconnect();
    },
  };
}
