/** One loop or two: what live waits for, and what ends whom. */
import type { Tick, TickAnswer } from '@spillway/shared/api/worker-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runApplyWorker } from '../../src/data-plane/apply/apply-worker.ts';
import { pause } from '../../src/data-plane/pause.ts';
import {
  type ApplyBatch,
  type DeliveredEntry,
  type DurableStream,
  type Publisher,
  type Store,
  StoreError,
  StreamError,
} from '../../src/data-plane/ports.ts';
import {
  events,
  pipeline,
  silentLog,
  virtual,
  virtualClock,
  WorldApi,
  WorldHistory,
  WorldStream,
} from '../fixtures/worker-world.ts';

beforeEach(() => void vi.useFakeTimers({ ...virtual, toFake: [...virtual.toFake] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const LIVE: Publisher = { kind: 'live' };
const FILL: Publisher = { kind: 'backfill', backfillId: 'bf_1' };
const COMMIT_MS = 2;
/** Of more rows a commit takes longer. */
const commitMsOf = ({ events }: ApplyBatch) => (events.length > 100 ? 10 : COMMIT_MS);

/** A stream that is read as it is written. */
class ReadStream {
  readonly entries: DeliveredEntry[] = [];
  failure: Error | null = null;
  acknowledgeMs = 0;
  readonly acknowledged: string[] = [];
  /** Entries that have been read. */
  read = 0;

  put(publisher: Publisher, count: number): void {
    for (const event of events(count, { from: this.entries.length }))
      this.entries.push({
        offset: String(this.entries.length).padStart(6, '0'),
        entry: { type: 'event', event, publisher, publishedAt: Date.now() },
      });
  }

  open(name: string): DurableStream {
    return {
      ...new WorldStream().open(name),
      consumer: () => ({
        read: async ({ after, maxEntries, waitMs, signal }) => {
          const from = after === null ? 0 : Number(after) + 1;
          for (let waited = 0; waited < waitMs && this.entries.length === from && !signal.aborted; waited++)
            await pause(1, signal);
          if (this.failure !== null) throw this.failure;
          const entries = this.entries.slice(from, from + maxEntries);
          this.read = from + entries.length;
          return entries;
        },
        acknowledge: async (offset) => {
          await new Promise((resolve) => setTimeout(resolve, this.acknowledgeMs));
          this.acknowledged.push(offset);
        },
      }),
    };
  }
}

/** Tells the worker what to apply, as the api does when another has joined. */
class LanesApi extends WorldApi {
  lanes: ('live' | 'replay')[] = ['live', 'replay'];
  liveFreshnessMsP99: number | null = null;

  override async tick(workerId: string, tick: Tick): Promise<TickAnswer> {
    const { lanes, liveFreshnessMsP99 } = this;
    return { ...(await super.tick(workerId, tick)), standby: lanes.length === 0, lanes, liveFreshnessMsP99 };
  }
}

function start(commitsSideBySide: boolean, more: Partial<typeof pipeline> = {}) {
  const api = new LanesApi();
  api.pipelines = [{ ...pipeline, ...more }];
  const stop = new AbortController();
  const streams = { live: new ReadStream(), replay: new ReadStream() };
  const claims: string[] = [];
  const counted: { at: number; backfillIds: readonly string[] }[] = [];
  const committed: { readonly batch: ApplyBatch; readonly atMs: number }[] = [];
  /** Commits of replay take until it is let go. */
  const held = { letGo: () => {}, until: Promise.resolve() };
  const store = {
    migrate: async () => {},
    commitsSideBySide: async () => commitsSideBySide,
    claim: async (stream: string) => {
      claims.push(stream);
      return { fence: claims.filter((claimed) => claimed === stream).length, position: null };
    },
    counters: async (backfillIds: readonly string[]) => {
      counted.push({ at: claims.length, backfillIds });
      return [];
    },
    apply: async (batch: ApplyBatch) => {
      await new Promise((resolve) => setTimeout(resolve, commitMsOf(batch)));
      if (batch.fence < claims.filter((claimed) => claimed === batch.stream).length)
        throw new StoreError('fenced', 'claimed by another');
      if (batch.publisher.kind === 'backfill') await held.until;
      committed.push({ batch, atMs: performance.now() });
      return { inserted: batch.events.length, duplicates: 0, quarantined: [] };
    },
    vacuum: async () => {},
    networkBytes: () => 0,
    watermarks: async () => ({}),
    pulse: async () => ({ walBytes: null, deadRows: null, cacheHitRatio: null, poolWaitMsP99: null }),
  } as unknown as Store;
  let ended = false;
  const told: (readonly string[])[] = [];
  const worker = runApplyWorker({
    applies: (lanes) => told.push(lanes),
    control: api,
    clock: virtualClock,
    signal: stop.signal,
    log: silentLog,
    host: 'here',
    version: '0',
    store,
    openStream: async (name) => streams[name as keyof typeof streams].open(name),
    historyOf: () => new WorldHistory([]),
    keepHistories: () => undefined,
  }).then(() => void (ended = true));
  return {
    streams,
    claims,
    told,
    counted,
    committed,
    hold() {
      held.until = new Promise((resolve) => {
        held.letGo = resolve;
      });
    },
    letGo: () => held.letGo(),
    of: (kind: Publisher['kind']) => committed.filter(({ batch }) => batch.publisher.kind === kind),
    apply: () => (api.of('tick').at(-1)?.body as Tick | undefined)?.apply ?? null,
    api,
    stop: () => stop.abort(),
    ended: () => ended,
    async end() {
      stop.abort();
      await pass(5_000);
      await worker;
    },
  };
}

test('live is applied while a commit of replay is held open, where the store commits side by side', async () => {
  const world = start(true);
  await pass(1_000);
  world.hold();
  world.streams.replay.put(FILL, 500);
  await pass(100);
  for (let put = 0; put < 10; put++) {
    const putMs = performance.now();
    world.streams.live.put(LIVE, 5);
    await pass(50);
    expect(world.of('live').at(-1)?.atMs).toBeLessThanOrEqual(putMs + COMMIT_MS + 2);
  }
  expect(world.of('backfill')).toEqual([]);
  await pass(500);
  // Replay is held up by the store, which owes it an answer, however well it answers live.
  expect(world.apply()?.stage.blockedRatio).toBeGreaterThan(0.9);
  expect(world.apply()?.store.silentMs).toBeGreaterThan(900);
  expect(world.apply()?.freshnessMsP99).toBeLessThan(6);
  world.letGo();
  await pass(500);
  expect(world.of('backfill').reduce((sum, { batch }) => sum + batch.events.length, 0)).toBe(500);
  expect(world.apply()?.store.silentMs).toBe(0);
  await world.end();
});

test('while the store commits a batch, a whole reading beyond it is read', async () => {
  const world = start(true);
  await pass(1_000);
  world.hold();
  world.streams.replay.put(FILL, 5_000);
  await pass(100);
  expect(world.committed).toEqual([]);
  // The first batch is of a hundred rows, and a reading twice as much.
  expect(world.streams.replay.read).toBe(100 + 200);
  world.letGo();
  await world.end();
});

test('it waits for the commit under way where the store serves one statement at a time', async () => {
  const world = start(false);
  await pass(1_000);
  world.hold();
  world.streams.replay.put(FILL, 500);
  await pass(100);
  world.streams.live.put(LIVE, 5);
  await pass(1_000);
  expect(world.committed).toEqual([]);
  world.letGo();
  await pass(500);
  expect(world.committed.map(({ batch }) => batch.publisher.kind).slice(0, 2)).toEqual(['backfill', 'live']);
  await world.end();
});

test('what stops replay stops live only where one loop serves both', async () => {
  for (const sideBySide of [true, false]) {
    const world = start(sideBySide);
    await pass(1_000);
    world.streams.replay.failure = new StreamError('gap', 'trimmed away');
    await pass(5_000);
    const claimsOf = (stream: string) => world.claims.filter((claimed) => claimed === stream).length;
    expect(claimsOf('replay')).toBeGreaterThan(3);
    if (sideBySide) expect(claimsOf('live')).toBe(1);
    else expect(claimsOf('live')).toBeGreaterThan(3);
    await world.end();
  }
});

test('a commit under way is finished before the worker ends', async () => {
  const world = start(true);
  await pass(1_000);
  world.hold();
  world.streams.replay.put(FILL, 50);
  await pass(100);
  world.stop();
  await pass(2_000);
  expect(world.ended()).toBe(false);
  world.letGo();
  await pass(2_000);
  expect(world.ended()).toBe(true);
  expect(world.of('backfill')).toHaveLength(1);
});

test('a stream that is slow to acknowledge holds up no commit, and is told what was finished meanwhile at once', async () => {
  const world = start(true);
  const { live } = world.streams;
  await pass(1_000);
  live.acknowledgeMs = 100;
  for (let put = 0; put < 40; put++) {
    live.put(LIVE, 1);
    await pass(5);
  }
  expect(world.of('live')).toHaveLength(40);
  world.stop();
  await pass(20);
  expect(live.acknowledged.length).toBeLessThan(3);
  expect(world.ended()).toBe(false);
  await pass(2_000);
  expect(live.acknowledged).toEqual(['000000', expect.any(String), '000039']);
  expect(world.ended()).toBe(true);
});

test.each(['separate', 'shared'] as const)(
  'counters that may be untold are read once its stream is claimed, route %s',
  async (route) => {
    const world = start(true, { route, unfinished: ['bf_1'] });
    await pass(1_000);
    expect(world.counted.map(({ backfillIds }) => backfillIds)).toEqual([['bf_1']]);
    expect(world.claims.toSorted()).toEqual(['live', 'replay']);
    await world.end();
  },
);

test('on a shared stream the order is kept, also where the store commits side by side', async () => {
  const world = start(true, { route: 'shared' });
  await pass(1_000);
  world.streams.live.put(FILL, 30);
  world.streams.live.put(LIVE, 3);
  world.streams.live.put(FILL, 30);
  await pass(500);
  expect(world.committed.map(({ batch }) => [batch.publisher.kind, batch.stream])).toEqual([
    ['backfill', 'live'],
    ['live', 'live'],
    ['backfill', 'live'],
  ]);
  await world.end();
});

test('a lane that another is told to apply is let go at once, its commit under way finished', async () => {
  const world = start(true);
  await pass(1_000);
  world.hold();
  world.streams.replay.put(FILL, 5);
  await pass(100);
  world.api.lanes = ['live'];
  await pass(500);
  world.letGo();
  await pass(100);
  expect(world.of('backfill')).toHaveLength(1);
  world.streams.replay.put(FILL, 5);
  world.streams.live.put(LIVE, 5);
  await pass(1_000);
  expect(world.of('backfill')).toHaveLength(1);
  expect(world.of('live')).toHaveLength(1);
  expect(world.apply()).toMatchObject({
    lanes: ['live'],
    commitsSideBySide: true,
    // The counters and the capacity are told by who applies replay now.
    counters: [],
    capacityEventsPerSecond: null,
    store: { silentMs: 0 },
  });
  expect(world.apply()?.streams.map(({ stream }) => stream)).toEqual(['live']);
  expect(world.told.at(-1)).toEqual(['live']);

  world.api.lanes = ['replay'];
  await pass(1_000);
  expect(world.told.at(-1)).toEqual(['replay']);
  expect(world.of('backfill').length).toBeGreaterThan(1);
  expect(world.apply()?.streams.map(({ stream }) => stream)).toEqual(['replay']);
  expect(world.claims.filter((claimed) => claimed === 'replay')).toHaveLength(2);
  await world.end();
});

test('who is fenced stands by until the api says that the lane is its own', async () => {
  const world = start(true);
  await pass(1_000);
  world.api.down = true;
  // As another does that the api has given the lane to.
  world.claims.push('live');
  world.streams.live.put(LIVE, 5);
  world.streams.replay.put(FILL, 5);
  await pass(10_000);
  expect(world.claims.filter((claimed) => claimed === 'live')).toHaveLength(2);
  expect(world.of('live')).toEqual([]);
  expect(world.told.at(-1)).toEqual(['replay']);
  // The other lane is nobody else's.
  expect(world.of('backfill')).toHaveLength(1);
  world.api.down = false;
  await pass(5_000);
  expect(world.of('live')).toHaveLength(1);
  await world.end();
});

test('one that stands by applies nothing and reports nothing', async () => {
  const world = start(true);
  world.api.lanes = [];
  await pass(1_000);
  world.streams.replay.put(FILL, 5);
  world.streams.live.put(LIVE, 5);
  await pass(1_000);
  expect(world.committed).toEqual([]);
  expect(world.apply()).toBeNull();
  await world.end();
});

test('who applies replay alone cuts its batches by what the api says that live sees', async () => {
  const rowsAfter = async (liveFreshnessMsP99: number | null) => {
    const world = start(true, { freshnessTargetMs: 20 });
    world.api.lanes = ['replay'];
    world.api.liveFreshnessMsP99 = liveFreshnessMsP99;
    await pass(1_000);
    for (let put = 0; put < 16; put++) {
      world.streams.replay.put(FILL, 2_000);
      await pass(250);
    }
    const last = world.of('backfill').at(-2)?.batch.events.length ?? 0;
    await world.end();
    return last;
  };
  expect(await rowsAfter(null)).toBeGreaterThan(900);
  expect(await rowsAfter(19)).toBeLessThan(200);
});
