/**
 * Live and replay committed at the same time on a PostgreSQL server: neither waits for the other, but where they write the same rows, and there in one
 * order; what comes out is what one loop would have made (1, 2, 3).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import { Observations } from '../../src/data-plane/apply/observations.ts';
import { systemClock } from '../../src/data-plane/clock.ts';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import type { DurableStream, Publisher, Store } from '../../src/data-plane/ports.ts';
import { StoreOracle } from '../conformance/store/store-oracle.ts';
import { runLoops } from '../fixtures/apply-loops.ts';
import { type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { startProcess } from '../fixtures/started-process.ts';
import { until } from '../system/until.ts';

const JANUARY = Date.UTC(2001, 0);
const HOUR_MS = 3_600_000;
const RANGE = { from: JANUARY, to: Date.UTC(2001, 1) };
const LIVE: Publisher = { kind: 'live' };

let server: PostgresServer;
let store: Store;
let folder: string;
let round = 0;

beforeAll(async () => {
  server = await startPostgres();
  store = await openPostgresStore({ url: server.url('postgres') });
  await store.migrate();
  folder = mkdtempSync(join(tmpdir(), 'spillway-side-'));
});
afterAll(async () => {
  await store?.close();
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

const keys = Array.from(
  { length: 23 },
  (_, number) => ['LAX', '\u{1f6eb}', '\uffee', 'z'][number % 4] + String(number),
);

const event = (number: number, at: number): PipelineEvent => ({
  id: `${source}#${number}`,
  sourceId: source,
  key: ['LAX', 'ORD', 'SEA', '\u{1f6eb}'][number % 4] as string,
  at,
  value: (number * 37) % 101,
});

const publish = (stream: DurableStream, publisher: Publisher, events: readonly PipelineEvent[]) =>
  stream.producer.append(
    events.map((one) => ({ type: 'event', event: one, publisher, publishedAt: Date.now() })),
  );

/** Loops as an apply worker has them, on streams of their own. */
async function applying(
  work: (parts: { live: DurableStream; replay: DurableStream; observe: Observations }) => Promise<void>,
) {
  const live = await openEmbeddedStream({ directory: folder, name: `live-${round}` });
  const replay = await openEmbeddedStream({ directory: folder, name: `replay-${round}` });
  const observe = new Observations(systemClock);
  const stop = new AbortController();
  const end = runLoops({ store, live, replay, signal: stop.signal, observe, unfinished: () => [] });
  try {
    await work({ live, replay, observe });
    await until('everything to be applied', async () =>
      (await Promise.all([live, replay].map((stream) => stream.stats(APPLIER_GROUP)))).every(
        ({ lastOffset, group }) => lastOffset === null || group?.lagEntries === 0,
      ),
    );
  } finally {
    stop.abort();
  }
  expect(await end).toEqual({ reason: 'stopped' });
  await Promise.all([live.close(), replay.close()]);
  return observe.drain();
}

async function expectProven(events: readonly PipelineEvent[]): Promise<void> {
  const oracle = new StoreOracle();
  oracle.apply(LIVE, events);
  const expected = oracle
    .buckets()
    .map(({ key, start, count, sum, hash }) => JSON.stringify({ key, start, count, sum, hash }))
    .toSorted();
  const proof = await store.proof({ sourceId: source, range: RANGE });
  for (const digests of [proof.events, proof.buckets])
    expect(digests.map((digest) => JSON.stringify(digest)).toSorted()).toEqual(expected);
}

/** The statistics of a backend are told a moment after its transaction. */
async function deadlocks(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { rows } = await server.sql(`select deadlocks::int from pg_stat_database where datname = 'postgres'`);
  return rows[0].deadlocks;
}

const waitingForLock = async (times: number) => {
  const { rows } = await server.sql(
    `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%apply_batch%'`,
  );
  return rows.length === times;
};

it('a live event is applied while a commit of replay is held open', async () => {
  const old = Array.from({ length: 400 }, (_, number) => event(number, JANUARY + number * 1_000));
  const fresh = Array.from({ length: 30 }, (_, number) => event(1_000 + number, JANUARY + 48 * HOUR_MS));
  await applying(async ({ live, replay, observe }) => {
    await publish(replay, backfill, old.slice(0, 4));
    await until('the first to be applied', async () => {
      const [counters] = await store.counters([backfill.backfillId]);
      return counters?.applied === 4;
    });
    // Somebody holds a bucket that replay has to write.
    const held = server.sql(`begin; update spillway.buckets set count = count where source_id = '${source}';
      select pg_sleep(2); commit`);
    await until('the lock', async () => {
      const { rows } = await server.sql(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
      return rows.length > 0;
    });
    await publish(replay, backfill, old.slice(4));
    await until('replay to wait for it', () => waitingForLock(1));
    for (const one of fresh) {
      await publish(live, LIVE, [one]);
      await until(
        'the live event to be applied',
        async () => (await live.stats(APPLIER_GROUP)).group?.lagEntries === 0,
      );
    }
    expect(await waitingForLock(1), 'replay still waits').toBe(true);
    const { freshnessMsP99, storeSilentMs, blockedRatio } = observe.drain();
    expect(freshnessMsP99).toBeLessThan(500);
    expect(storeSilentMs).toBeGreaterThan(0);
    expect(blockedRatio).toBeGreaterThan(0);
    await held;
  });
  await expectProven([...old, ...fresh]);
}, 60_000);

it('replay makes the month it comes to while somebody reads all events, and live does not wait', async () => {
  const reader = new pg.Client(server.url('postgres'));
  await reader.connect();
  try {
    await store.ensurePartitions(RANGE);
    await reader.query('begin; select count(*) from spillway.events');
    const nextMonth = [event(1, Date.UTC(2001, 5, 7))];
    const now = [event(2, JANUARY)];
    await applying(async ({ live, replay }) => {
      await publish(replay, backfill, nextMonth);
      await publish(live, LIVE, now);
    });
  } finally {
    await reader.end();
  }
}, 20_000);

it('two loops that write the same buckets, and partly the same events, never deadlock, and count each once', async () => {
  // Of one hour and a few keys, so that every commit of either touches rows of the other's. The first come by one way, and their buckets are computed
  // by the applier; of the rest a third comes by both, and the server groups them.
  const all = Array.from({ length: 12_000 }, (_, number) => ({
    ...event(number, JANUARY + ((number * 7_919) % HOUR_MS)),
    key: keys[(number * 31) % keys.length] as string,
  }));
  const own = 8_000;
  const byReplay = all.filter((_, number) => (number < own ? number % 2 === 0 : number % 3 !== 0));
  const byLive = all.filter((_, number) => (number < own ? number % 2 === 1 : number % 3 !== 1));
  const before = await deadlocks();
  const seen = await applying(async ({ live, replay }) => {
    await Promise.all([
      (async () => {
        for (let from = 0; from < byReplay.length; from += 500)
          await publish(replay, backfill, byReplay.slice(from, from + 500));
      })(),
      (async () => {
        for (let from = 0; from < byLive.length; from += 20) {
          await publish(live, LIVE, byLive.slice(from, from + 20));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })(),
    ]);
  });
  expect((await deadlocks()) - before).toBe(0);
  const [counters] = await store.counters([backfill.backfillId]);
  expect(seen.counters).toEqual([counters]);
  expect((counters?.applied ?? 0) + (counters?.duplicate ?? 0)).toBe(byReplay.length);
  expect(seen.rows).toMatchObject({ attempted: byReplay.length + byLive.length, inserted: all.length });
  expect(seen.liveEventsApplied).toBe(byLive.length);
  await expectProven(all);
}, 120_000);

/** Another process holds the lock of a drill: its end is only the database's to see. */
async function stalledElsewhere(): Promise<ReturnType<typeof startProcess>> {
  const program = fileURLToPath(new URL('../crash/stalling-process.ts', import.meta.url));
  const holder = startProcess(program, [server.url('postgres'), '25000']);
  await holder.ready;
  return holder;
}

it('a drill whose holder is killed lets the writers go on at once', async () => {
  const holder = await stalledElsewhere();
  let isWritten = false;
  const written = store.claim(`live-${round}`).then(() => {
    isWritten = true;
  });
  await store.watermarks();
  expect(isWritten).toBe(false);
  const from = performance.now();
  holder.child.kill('SIGKILL');
  await holder.exit;
  await written;
  expect(performance.now() - from).toBeLessThan(2_000);
});

it('a drill stalls the writers and no reader, and a holder that is frozen has lost the lock soon, long before the stall was to end', async () => {
  const holder = await stalledElsewhere();
  try {
    holder.child.kill('SIGSTOP');
    const from = performance.now();
    const written = store.claim(`live-${round}`).then(() => performance.now() - from);
    await store.watermarks();
    expect(performance.now() - from).toBeLessThan(2_000);
    const waitedMs = await written;
    // Its last word was at most a second ago, and five seconds of silence end it.
    expect(waitedMs).toBeGreaterThan(3_500);
    expect(waitedMs).toBeLessThan(10_000);
  } finally {
    holder.child.kill('SIGKILL');
    await holder.exit;
  }
});
