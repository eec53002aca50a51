/**
 * An applier on a PostgreSQL server whose answers are lost: at the commit of any batch, also the last, nothing is counted twice and nothing lost (2, 3, 4).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import { Observations } from '../../src/data-plane/apply/observations.ts';
import { systemClock } from '../../src/data-plane/clock.ts';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import type { DurableStream, Publisher, Store } from '../../src/data-plane/ports.ts';
import { StoreOracle } from '../conformance/store/store-oracle.ts';
import { runLoops } from '../fixtures/apply-loops.ts';
import { type Cut, type CutProxy, startCutProxy } from '../fixtures/cut-proxy.ts';
import { type PostgresServer, startPostgres, startReplicaOf } from '../fixtures/postgres-server.ts';
import { startSilentWire } from '../fixtures/silent-wire.ts';
import { until } from '../system/until.ts';

const JANUARY = Date.UTC(2001, 0);
const RANGE = { from: JANUARY, to: Date.UTC(2001, 1) };
const LIVE: Publisher = { kind: 'live' };

let server: PostgresServer;
let proxy: CutProxy;
/** Not through the proxy. */
let direct: Store;
let folder: string;
let round = 0;

beforeAll(async () => {
  server = await startPostgres();
  proxy = await startCutProxy(server.port);
  direct = await openPostgresStore({ url: server.url('postgres') });
  await direct.migrate();
  folder = mkdtempSync(join(tmpdir(), 'spillway-answers-'));
});
afterAll(async () => {
  await direct?.close();
  await proxy?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let source: string;
let backfill: Publisher & { kind: 'backfill' };
beforeEach(() => {
  round += 1;
  source = `source-${round}`;
  backfill = { kind: 'backfill', backfillId: `backfill-${round}` };
});
const event = (number: number): PipelineEvent => ({
  id: `${source}#${number}`,
  sourceId: source,
  key: ['LAX', 'ORD', 'SEA'][number % 3] as string,
  at: JANUARY + number * 20_000,
  value: (number * 37) % 101,
});

async function publish(stream: DurableStream, publisher: Publisher, events: readonly PipelineEvent[]) {
  await stream.producer.append(
    events.map((one) => ({ type: 'event', event: one, publisher, publishedAt: Date.now() })),
  );
}

/** Runs an applier through the proxy, on streams of its own, until `whileRunning` is over. */
async function applying(
  whileRunning: (parts: {
    live: DurableStream;
    replay: DurableStream;
    observe: Observations;
  }) => Promise<void>,
  unfinished: readonly string[] = [],
) {
  const url = new URL(server.url('postgres'));
  url.port = String(proxy.port);
  const store = await openPostgresStore({ url: url.href });
  const live = await openEmbeddedStream({ directory: folder, name: `live-${round}` });
  const replay = await openEmbeddedStream({ directory: folder, name: `replay-${round}` });
  const observe = new Observations(systemClock);
  const stop = new AbortController();
  const end = runLoops({
    ...{ store, live, replay, signal: stop.signal, observe },
    unfinished: () => unfinished,
  });
  try {
    await whileRunning({ live, replay, observe });
    await until('everything to be applied', async () =>
      (await Promise.all([live, replay].map((stream) => stream.stats(APPLIER_GROUP)))).every(
        ({ lastOffset, group }) => lastOffset === null || group?.lagEntries === 0,
      ),
    );
  } finally {
    stop.abort();
  }
  expect(await end).toEqual({ reason: 'stopped' });
  await Promise.all([store.close(), live.close(), replay.close()]);
  return observe.drain();
}

async function expectProven(events: readonly PipelineEvent[]): Promise<void> {
  const oracle = new StoreOracle();
  oracle.apply(LIVE, events);
  const expected = oracle
    .buckets()
    .map(({ key, start, count, sum, hash }) => JSON.stringify({ key, start, count, sum, hash }))
    .toSorted();
  const proof = await direct.proof({ sourceId: source, range: RANGE });
  for (const digests of [proof.events, proof.buckets])
    expect(digests.map((digest) => JSON.stringify(digest)).toSorted()).toEqual(expected);
}

describe.each<[string, Cut]>([
  ['is lost before it arrives', 'before'],
  ['is done and its answer is lost', 'answer'],
  ['arrives when the applier has claimed again', 'late'],
])('a batch that %s', (_, cut) => {
  it('of a backfill is counted once, though it was its last', async () => {
    const events = Array.from({ length: 300 }, (_, number) => event(number));
    const seen = await applying(async ({ replay }) => {
      await publish(replay, backfill, events.slice(0, 260));
      await until('the first to be applied', async () => {
        const [counters] = await direct.counters([backfill.backfillId]);
        return counters?.applied === 260;
      });
      const wasCut = proxy.cutAt('apply_batch', cut);
      // Of one batch: none of this backfill follows that would tell its counters.
      await publish(replay, backfill, events.slice(260));
      await wasCut;
    });
    const [counters] = await direct.counters([backfill.backfillId]);
    expect(counters).toEqual({ backfillId: backfill.backfillId, applied: 300, duplicate: 0, quarantined: 0 });
    // Also what the applier tells of it, which is what the browser shows.
    expect(seen.counters).toEqual([counters]);
    await expectProven(events);
  });

  it('of live is applied once', async () => {
    const events = Array.from({ length: 200 }, (_, number) => event(number));
    await applying(async ({ live }) => {
      for (let from = 0; from < events.length; from += 40) {
        const wasCut = proxy.cutAt('apply_batch', cut);
        await publish(live, LIVE, events.slice(from, from + 40));
        await wasCut;
      }
    });
    await expectProven(events);
  });
});

it('a store that does not answer for the counters of a backfill is no applier that is busy', async () => {
  await applying(async ({ live, replay, observe }) => {
    await publish(live, LIVE, [event(300)]);
    await until('a claim', async () => (await live.stats(APPLIER_GROUP)).group?.lagEntries === 0);
    const held = server.sql(
      `begin; lock table spillway.fill_counters in access exclusive mode; select pg_sleep(1.5); commit`,
    );
    await until('the lock', async () => {
      const { rows } = await server.sql(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
      return rows.length > 0;
    });
    await publish(replay, backfill, [event(1)]);
    await until('the question', async () => {
      const { rows } = await server.sql(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%fill_counters%'`,
      );
      return rows.length > 0;
    });
    observe.drain();
    await held;
    const { busyRatio, storeBusyRatio, blockedRatio } = observe.drain();
    expect(busyRatio).toBeLessThan(0.5);
    expect(storeBusyRatio + blockedRatio).toBeGreaterThan(0.5);
  });
});

it('what an applier had counted when it was killed is told by the next, although nothing is left to apply', async () => {
  const events = Array.from({ length: 300 }, (_, number) => event(number));
  await applying(({ replay }) => publish(replay, backfill, events));
  // Live goes on, which the next applier serves once it has claimed.
  const next = await applying(
    ({ live }) => publish(live, LIVE, [event(300)]),
    [backfill.backfillId, 'backfill-without-counters'],
  );
  expect(next.counters).toEqual([
    { backfillId: backfill.backfillId, applied: 300, duplicate: 0, quarantined: 0 },
  ]);
});

it('a connection that leads to a replica, as for a while after a fail-over, is given up', async () => {
  const replica = await startReplicaOf(server);
  let leadsTo = replica;
  const wire = await startSilentWire(() => leadsTo.port);
  const url = new URL(server.url('postgres'));
  url.port = String(wire.port);
  const store = await openPostgresStore({ url: url.href });
  try {
    await expect(store.claim('failed-over')).rejects.toMatchObject({ code: 'store_unavailable' });
    // What it holds may be old.
    await expect(store.watermarks()).rejects.toMatchObject({ code: 'store_unavailable' });
    leadsTo = server;
    expect(await store.claim('failed-over')).toEqual({ fence: 1, position: null });
  } finally {
    await store.close();
    await wire.close();
    await replica.stop();
  }
}, 20_000);

it('goes on where the server ends its connections, and where it is restarted at once', async () => {
  const events = Array.from({ length: 6_000 }, (_, number) => event(number));
  await applying(async ({ replay }) => {
    const applied = async () => (await direct.counters([backfill.backfillId]))[0]?.applied ?? 0;
    for (let part = 0; part < 6; part++) {
      await publish(replay, backfill, events.slice(part * 1_000, (part + 1) * 1_000));
      // The applier's first look at its store is tried again by the worker that runs it, not by itself.
      if (part === 0) await until('an applier', async () => (await applied()) > 0);
      if (part === 4) {
        await server.crash();
        await server.startAgain();
      } else
        await server.sql(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'spillway-store%' and pid <> pg_backend_pid()`,
        );
    }
    await until('all of them', async () => (await applied()) === events.length);
  });
  expect((await direct.counters([backfill.backfillId]))[0]).toMatchObject({ applied: 6_000, duplicate: 0 });
  await expectProven(events);
}, 60_000);

it('two appliers that write the same buckets, whatever their keys, never deadlock', async () => {
  const keys = ['LAX', '\u{1f6eb}', '\ue000', '\uffee', 'z', 'ORD'];
  const one = await openPostgresStore({ url: server.url('postgres') });
  const two = await openPostgresStore({ url: server.url('postgres') });
  const known = Array.from({ length: 600 }, (_, number) => ({
    ...event(number),
    key: keys[number % keys.length] as string,
  }));
  const fresh = (batch: number, by: string) =>
    known.map((like, number) => ({ ...like, id: `${source}/${by}/${batch}/${number}` }));
  const before = await deadlocks();
  await Promise.all(
    [one, two].map(async (store, index) => {
      const stream = `${source}-${index}`;
      const { fence } = await store.claim(stream);
      for (let batch = 0; batch < 25; batch++) {
        // Half of them meet events that are known, and are grouped by the server.
        const events = batch % 2 === 0 ? fresh(batch, stream) : [...known, ...fresh(batch, stream)].reverse();
        await store.apply({
          stream,
          fence,
          publisher: LIVE,
          events,
          position: String(batch).padStart(9, '0'),
        });
      }
    }),
  );
  expect((await deadlocks()) - before).toBe(0);
  const buckets = await direct.buckets({
    sourceIds: [source],
    range: RANGE,
    key: null,
    limit: 10_000,
    after: null,
  });
  expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(600 * 50 + 600);
  await Promise.all([one.close(), two.close()]);
}, 60_000);

it('a batch that the server takes back for a deadlock is sent again', async () => {
  const store = await openPostgresStore({ url: server.url('postgres') });
  const stream = `${source}-d`;
  const { fence } = await store.claim(stream);
  await store.apply({ stream, fence, publisher: LIVE, events: [event(1)], position: '1' });
  // Of the same bucket as the next one.
  const before = await deadlocks();
  // Somebody with psql, in the other order: the stream's row first, then the bucket's.
  const other = server.sql(`begin; set local deadlock_timeout = '10s';
    update spillway.stream_positions set position = position where stream = '${stream}'; select pg_sleep(0.5);
    update spillway.buckets set count = count where source_id = '${source}'; commit`);
  await until('the lock', async () => {
    const { rows } = await server.sql(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
    return rows.length > 0;
  });
  const outcome = await store.apply({ stream, fence, publisher: LIVE, events: [event(4)], position: '2' });
  await other;
  expect(outcome).toEqual({ inserted: 1, duplicates: 0, quarantined: [] });
  expect((await deadlocks()) - before).toBe(1);
  await expectProven([event(1), event(4)]);
  await store.close();
});

it('live has connections of its own, however many of the others are held', async () => {
  const store = await openPostgresStore({ url: server.url('postgres'), connectionsMax: 2 });
  const stream = `${source}-p`;
  const { fence } = await store.claim(stream);
  const apply = (publisher: Publisher, number: number) =>
    store.apply({ stream, fence, publisher, events: [event(number)], position: String(number) });
  await apply(LIVE, 1);
  const held = server.sql(
    `begin; lock table spillway.quarantine in access exclusive mode; select pg_sleep(1); commit`,
  );
  await until('the lock', async () => {
    const { rows } = await server.sql(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
    return rows.length > 0;
  });
  let read = 0;
  const reading = Array.from({ length: 4 }, () => store.quarantine('none', 1).then(() => (read += 1)));
  const from = performance.now();
  await store.apply({ stream, fence, publisher: LIVE, events: [], position: '2' });
  expect(read).toBe(0);
  expect(performance.now() - from).toBeLessThan(500);
  await Promise.all([...reading, held]);
  await store.close();
});

/** The statistics of a backend are told a moment after its transaction. */
async function deadlocks(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { rows } = await server.sql(`select deadlocks::int from pg_stat_database where datname = 'postgres'`);
  return rows[0].deadlocks;
}
