/**
 * `kill -9` of the real feed while sources are being disconnected and reconnected over REST: whatever is missing from the live stream lies in a
 * gap of its source. What should be there is counted by the oracle, which knows nothing of feeds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source } from '@spillway/shared/api/pipeline';
import { without } from '@spillway/shared/finality/is-final';
import { asc } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import { gaps } from '../../src/control-plane/database/schema.ts';
import { seedDemo } from '../../src/control-plane/sources/demo.ts';
import { feedReached } from '../../src/control-plane/sources/gaps.ts';
import { promoteStandbys } from '../../src/control-plane/workers/membership.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import { storedPlace } from '../../src/data-plane/feed/place.ts';
import type { DurableStream } from '../../src/data-plane/ports.ts';
import { adminToken, type ControlApp, startControlApp, workerToken } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { type StartedProcess, startProcess, until } from '../fixtures/started-process.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { chance } from '../system/chance.ts';

const SEED = Number(process.env['SPILLWAY_TEST_SEED'] ?? 11);
const KILLS = 4;
const EVENTS_PER_SECOND = 2_000;
const liveFrom = Date.UTC(2001, 5, 1);
const sourceIds = ['west', 'mountain', 'central', 'east'];
const dataDir = mkdtempSync(join(tmpdir(), 'spillway-feed-'));

let database: ControlDatabase;
let control: ControlApp;
let stream: DurableStream;
let oracle: FlightsOracle;
let feed: StartedProcess | null = null;

beforeAll(async () => {
  [database, oracle] = await Promise.all([startControlDatabase(), FlightsOracle.open()]);
  control = await startControlApp(database.url);
  await control.app.listen({ host: '127.0.0.1', port: 0 });
  await seedDemo(control.ctx, { liveEventsPerSecond: EVENTS_PER_SECOND });
  stream = await openEmbeddedStream({ directory: join(dataDir, 'streams'), name: 'flights-live' });
  // Live begins when the applier reads it.
  const { signal } = new AbortController();
  await stream.consumer(APPLIER_GROUP).read({ after: null, maxEntries: 1, waitMs: 0, signal });
});
afterAll(async () => {
  feed?.child.kill('SIGKILL');
  await feed?.exit;
  oracle?.close();
  await stream?.close();
  await control?.close();
  await database?.end();
  rmSync(dataDir, { recursive: true, force: true });
});

async function startFeed(): Promise<StartedProcess> {
  const { port } = control.app.server.address() as AddressInfo;
  const started = startProcess('worker.ts', ['--role', 'feed'], {
    env: {
      ...process.env,
      SPILLWAY_DATA_DIR: dataDir,
      SPILLWAY_API_URL: `http://127.0.0.1:${port}`,
      SPILLWAY_WORKER_TOKEN: workerToken,
    },
  });
  await started.ready;
  await moved();
  return started;
}

/** Waits until events have been played, by a feed that the last one's silence may have left standing by. */
async function moved(): Promise<void> {
  const before = await stream.producer.producerState();
  const moves = async () => {
    await promoteStandbys(control.ctx);
    return (await stream.producer.producerState()) !== before;
  };
  await until(moves, 60_000, 'the feed plays');
}

async function toggle(sourceId: string): Promise<void> {
  const source: Source = (await control.ask(adminToken, 'GET', `/v1/sources/${sourceId}`)).json();
  const what = source.disconnectedAt === null ? 'disconnected' : 'reconnected';
  const answer = await control.ask(adminToken, 'POST', `/v1/sources/${sourceId}/${what}`);
  expect(answer.statusCode, answer.body).toBe(200);
}

test(`what is missing from live lies in a gap (seed ${SEED})`, async () => {
  const { below, next, shuffled } = chance(SEED);
  for (let kills = 0; kills < KILLS; kills++) {
    feed = await startFeed();
    for (let toggles = below(5); toggles >= 0; toggles--) {
      await toggle(shuffled(sourceIds)[0] as string);
      // Some toggles come before the feed has heard of the last one.
      if (next() < 0.6) await moved();
    }
    feed.child.kill('SIGKILL');
    await feed.exit;
    // While it is dead as well.
    if (next() < 0.5) await toggle(shuffled(sourceIds)[0] as string);
  }
  feed = await startFeed();
  for (const sourceId of sourceIds) {
    const source: Source = (await control.ask(adminToken, 'GET', `/v1/sources/${sourceId}`)).json();
    if (source.disconnectedAt !== null) await toggle(sourceId);
  }
  const known = () => control.ctx.database.select().from(gaps).orderBy(asc(gaps.gapFrom));
  await until(async () => (await known()).every(({ gapTo }) => gapTo !== null), 60_000, 'every extent known');
  const closed = await known();
  const last = Math.max(...closed.map(({ gapTo }) => gapTo as number));
  await until(() => (feedReached(control.ctx) ?? 0) > last, 60_000, 'live beyond the last gap');
  feed.child.kill('SIGKILL');
  await feed.exit;

  // A minute that has begun may not be complete.
  const reached = storedPlace(await stream.producer.producerState()).reached as number;
  const published = await publishedBySource();
  let compared = 0;
  for (const sourceId of sourceIds) {
    const own = closed.filter((gap) => gap.sourceId === sourceId);
    const spans = own.map(({ gapFrom, gapTo }) => ({ from: gapFrom, to: gapTo as number }));
    for (const window of without({ from: liveFrom, to: reached }, spans)) {
      const truth = (await oracle.counts({ ...window, sourceIds: [sourceId] }))[sourceId] ?? 0;
      const seen = published.filter(
        (event) => event.sourceId === sourceId && window.from <= event.at && event.at < window.to,
      );
      expect(
        seen.length,
        `${sourceId} ${new Date(window.from).toISOString()} to ${new Date(window.to).toISOString()}`,
      ).toBe(truth);
      compared += truth;
    }
  }
  const all = Object.values(await oracle.counts({ from: liveFrom, to: reached })).reduce(
    (sum, count) => sum + count,
    0,
  );
  expect(closed.length).toBeGreaterThan(3);
  expect(all - published.filter(({ at }) => at < reached).length).toBeGreaterThan(1_000);
  expect(compared).toBeGreaterThan(1_000);
});

/** Nothing has been trimmed: its group acknowledges nothing. */
async function publishedBySource(): Promise<{ sourceId: string; at: number }[]> {
  const events = new Map<string, { sourceId: string; at: number }>();
  const reader = stream.consumer('oracle');
  let after: string | null = null;
  let entries = 0;
  for (;;) {
    const delivered = await reader.read({
      after,
      maxEntries: 10_000,
      waitMs: 0,
      signal: new AbortController().signal,
    });
    for (const { entry } of delivered) {
      if (entry.type !== 'event') continue;
      entries += 1;
      events.set(entry.event.id, { sourceId: entry.event.sourceId, at: entry.event.at });
    }
    const end = delivered.at(-1);
    if (end === undefined) break;
    after = end.offset;
  }
  expect(events.size).toBe(entries);
  return [...events.values()];
}
