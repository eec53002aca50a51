/**
 * One, two and four replay workers, each a process of its own that reads one run at a time, where the source is what holds them: an object for each hour in an
 * object store (s3rver, over HTTP), whose every answer comes 100 ms late, as from another region. The delay is the bench's own. Redis and PostgreSQL take many
 * times as much, and the governor is off.
 */
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flightsHistory } from '../../apps/api/src/demo/flights.ts';
import { query } from '../../apps/api/test/conformance/source/parquet-fixture.ts';
import {
  S3_CREDENTIALS,
  type S3Server,
  startS3,
  startS3Front,
} from '../../apps/api/test/fixtures/s3-server.ts';
import { type StartedProcess, startProcess } from '../../apps/api/test/fixtures/started-process.ts';
import { accepted } from '../../apps/api/test/system/api-client.ts';
import { appliedIn, startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import { configurePipeline } from '../../apps/api/test/system/pipelines.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { startServers } from '../by-hand/servers.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { measured } from '../quick.ts';

const WORKERS = [1, 2, 4];
const ANSWER_LATE_MS = 100;
const FROM = Date.UTC(2001, 1, 1);
const DAYS = measured(7, 2);
const DAY_MS = 86_400_000;
const TOKEN = 'w'.repeat(40);

export async function workersArm(): Promise<Figure[]> {
  const servers = await startServers();
  const objects = await startS3();
  const front = await startS3Front(objects);
  const workers: StartedProcess[] = [];
  let system: StartedSystem | null = null;
  try {
    await fill(objects);
    front.delay(ANSWER_LATE_MS);
    const env = {
      SPILLWAY_STORE_URL: servers.postgresUrl,
      SPILLWAY_STREAM_URL: servers.redisUrl,
      SPILLWAY_STREAM_ACCEPT: 'persistence',
      SPILLWAY_WORKER_TOKEN: TOKEN,
      SPILLWAY_WORKER_LEASES: '1',
    };
    system = await quietSystem({
      ...env,
      SPILLWAY_DATABASE_URL: servers.postgresUrl,
      SPILLWAY_DEMO: 'flights',
      SPILLWAY_DEMO_LIVE: '20',
    });
    await configurePipeline(system, {
      ...{ capacityEventsPerSecond: 200_000, replayShare: 1, headroom: 0 },
      signals: { liveFreshnessMsP99: { target: null, failMode: 'bad' } },
    });
    for (const count of WORKERS) await addSource(system, count, front.endpoint);
    const rates: number[] = [];
    for (const count of WORKERS) {
      while (workers.length + 1 < count) {
        const args = ['--role', 'replay', '--api', system.url];
        workers.push(startProcess('worker.ts', args, { env: { PATH: process.env['PATH'], ...env } }));
      }
      await untilWorking(system, count);
      rates.push(await replayed(system, `objects-${count}`));
    }
    return WORKERS.flatMap((count, index) => [
      figure(`${count} workers: source to applied`, rates[index] as number, 'events/s'),
      ...(count === 1
        ? []
        : [
            figure(
              `${count} workers ÷ one`,
              (rates[index] as number) / (rates[0] as number),
              '×',
              count === 2 ? { atLeast: 1.6 } : null,
            ),
          ]),
    ]);
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    await system?.remove();
    await front.close();
    await Promise.all([objects.stop(), servers.stop()]);
  }
}

async function fill(objects: S3Server): Promise<void> {
  await objects.createBucket('flights');
  const file = join(tmpdir(), `spillway-hour-${process.pid}.jsonl`);
  // Events of their own for each number of workers, so that they are new to the store.
  for (const count of WORKERS)
    for (let from = FROM; from < FROM + DAYS * DAY_MS; from += 3_600_000) {
      const time = (at: number) => `TIMESTAMP '${new Date(at).toISOString().slice(0, -1)}'`;
      await query(`COPY (SELECT date AS happened, origin, delay, '${count}-${from}-' || row_number() OVER () AS id
        FROM read_parquet('${flightsHistory().file}')
        WHERE date >= ${time(from)} AND date < ${time(from + 3_600_000)}) TO '${file}' (FORMAT json)`);
      const [day, hour] = [
        new Date(from).toISOString().slice(0, 10),
        new Date(from).toISOString().slice(11, 13),
      ];
      await objects.put('flights', `${count}/${day}/${hour}.jsonl`, readFileSync(file));
    }
  rmSync(file);
}

async function addSource(system: StartedSystem, count: number, endpoint: string): Promise<void> {
  const id = `objects-${count}`;
  const answer = await system.call('POST', '/v1/sources', {
    id,
    title: id,
    pipelineId: 'flights',
    history: {
      ...{ kind: 's3', bucket: 'flights', prefix: `${count}/`, endpoint, credentials: S3_CREDENTIALS },
      ...{ format: 'jsonl', partitions: '{YYYY}-{MM}-{DD}/{HH}' },
      columns: { id: 'id', time: 'happened', key: 'origin', value: 'delay' },
    },
  });
  accepted(`add ${id}`, 201, answer);
  await until(`${id} counted`, async () => {
    const { statistics, failure } = (await system.call('GET', `/v1/sources/${id}`)).body;
    if (failure !== null) throw new Error(JSON.stringify(failure));
    return statistics !== null;
  });
}

async function untilWorking(system: StartedSystem, count: number): Promise<void> {
  await until(`${count} replay workers`, async () => {
    const { items } = (await system.call('GET', '/v1/workers')).body;
    const replaying = (items as { role: string; state: string }[]).filter(
      ({ role, state }) => role === 'replay' && state === 'working',
    );
    return replaying.length === count;
  });
}

/** Events/s from the request to the last event applied. */
async function replayed(system: StartedSystem, sourceId: string): Promise<number> {
  const fromMs = performance.now();
  const { id } = await startBackfill(system, {
    sourceIds: [sourceId],
    window: { from: new Date(FROM).toISOString(), to: new Date(FROM + DAYS * DAY_MS).toISOString() },
    limits: { eventsPerSecond: 200_000, concurrency: 8 },
  });
  const applied = await untilState(system, id, ['verifying', 'completed']);
  const seconds = (performance.now() - fromMs) / 1000;
  const { verification } = await untilState(system, id, 'completed');
  if (verification.state !== 'matched') throw new Error(`${id} is ${verification.state}`);
  return appliedIn(applied) / seconds;
}
