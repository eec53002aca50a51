import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import { type BucketDigest, StoreError, type TimeRange } from '../../src/data-plane/ports.ts';
import { nextSliceBuckets, proveLane } from '../../src/data-plane/proof/prove-lane.ts';
import { bucketDeltas } from '../fixtures/buckets-by-hand.ts';
import { events, virtual, virtualClock, WorldHistory } from '../fixtures/worker-world.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

beforeEach(() => void vi.useFakeTimers({ ...virtual, toFake: [...virtual.toFake] }));
afterEach(() => void vi.useRealTimers());

/** A store that holds these events, with buckets of its own making. */
class HandStore {
  readonly stored: readonly PipelineEvent[];
  readonly rows: readonly BucketDigest[];
  asked: TimeRange[] = [];
  /** Bucket digests in the largest answer to a question about more than a week. */
  mostOfLong = 0;
  beforeAnswer: () => Promise<void> | void = () => {};

  constructor(
    stored: readonly PipelineEvent[],
    rows: readonly BucketDigest[] = bucketDeltas(stored, HOUR_MS),
  ) {
    this.stored = stored;
    this.rows = rows;
  }

  async proof({ range }: { range: TimeRange }) {
    this.asked.push(range);
    await this.beforeAnswer();
    const answer = {
      events: bucketDeltas(
        this.stored.filter(({ at }) => at >= range.from && at < range.to),
        HOUR_MS,
      ),
      buckets: this.#in(range),
    };
    if (range.to - range.from > WEEK_MS)
      this.mostOfLong = Math.max(this.mostOfLong, answer.events.length + answer.buckets.length);
    return answer;
  }

  async buckets({ range, limit }: { range: TimeRange; limit: number }) {
    return this.#in(range).slice(0, limit) as never;
  }

  #in({ from, to }: TimeRange): BucketDigest[] {
    return this.rows.filter(({ start }) => start >= from && start < to);
  }
}

async function prove(
  source: readonly PipelineEvent[],
  store: HandStore,
  window: TimeRange,
  options: {
    signal?: AbortSignal;
    mayContinue?: () => boolean;
    history?: WorldHistory;
    eventsPerSecond?: number;
  } = {},
) {
  const progress: number[] = [];
  const proof = proveLane({
    history: options.history ?? new WorldHistory(source),
    store,
    sourceId: 'east',
    window,
    bucketMs: HOUR_MS,
    eventsPerSecond: options.eventsPerSecond ?? null,
    clock: virtualClock,
    signal: options.signal ?? new AbortController().signal,
    mayContinue: options.mayContinue ?? (() => true),
    progressed: ({ bucketsChecked }) => progress.push(bucketsChecked),
    used: () => {},
  });
  await vi.advanceTimersByTimeAsync(60_000);
  return { verdict: await proof, progress };
}

function sideOf(digests: readonly BucketDigest[], start: number) {
  const digest = digests.find((each) => each.start === start);
  return digest && { count: digest.count, sum: digest.sum, hash: digest.hash };
}

const quarterHourly = (hours: number, key = 'ATL') => events(hours * 4, { everyMs: HOUR_MS / 4, key });

describe('a proof', () => {
  test('of a store that holds what the source holds matches, bucket by bucket', async () => {
    const source = [
      ...quarterHourly(48),
      ...quarterHourly(48, 'SFO').map((event) => ({ ...event, id: `s${event.id}` })),
    ];
    const { verdict, progress } = await prove(source, new HandStore(source), { from: 0, to: 48 * HOUR_MS });
    expect(verdict).toEqual({
      state: 'matched',
      bucketsChecked: 96,
      bucketsMatched: 96,
      eventsChecked: 384,
      detail: null,
      mismatches: [],
    });
    expect(progress.at(-1)).toBe(96);
  });

  test('finds an event that is missing, twice, foreign, or another in disguise', async () => {
    const source = quarterHourly(4);
    const [first, second, ...rest] = source as [PipelineEvent, PipelineEvent, ...PipelineEvent[]];
    const stores = [
      [second, ...rest],
      [first, first, second, ...rest],
      [...source, { ...first, id: 'foreign' }],
      // Count and sum stay what they are.
      [{ ...first, id: 'another' }, second, ...rest],
      [{ ...first, value: first.value + 1 }, { ...second, value: second.value - 1 }, ...rest],
    ];
    for (const stored of stores) {
      const { verdict } = await prove(source, new HandStore(stored), { from: 0, to: 4 * HOUR_MS });
      expect(verdict).toMatchObject({ state: 'mismatched', bucketsChecked: 4, bucketsMatched: 3 });
      // The row is what the stored events are, and is told with them.
      const held = sideOf(bucketDeltas(stored, HOUR_MS), 0);
      expect(verdict?.mismatches).toEqual([
        {
          sourceId: 'east',
          key: 'ATL',
          start: '1970-01-01T00:00:00.000Z',
          source: sideOf(bucketDeltas(source, HOUR_MS), 0),
          stored: held,
          bucket: held,
        },
      ]);
    }
  });

  test('finds a bucket row that is not what its events say, also one that has no event at all', async () => {
    const source = quarterHourly(2);
    const right = bucketDeltas(source, HOUR_MS);
    const orphan: BucketDigest = { key: 'XXX', start: HOUR_MS, count: 1, sum: '1', hash: '1' };
    const wrong = right.map((bucket, index) => (index === 0 ? { ...bucket, sum: '999' } : bucket));
    // Source and stored agree, and both are told.
    const held = sideOf(right, 0);
    expect(
      (await prove(source, new HandStore(source, wrong), { from: 0, to: 2 * HOUR_MS })).verdict,
    ).toMatchObject({
      state: 'mismatched',
      bucketsChecked: 2,
      bucketsMatched: 1,
      mismatches: [{ source: held, stored: held, bucket: { ...held, sum: '999' } }],
    });
    expect(
      (await prove(source, new HandStore(source, [...right, orphan]), { from: 0, to: 2 * HOUR_MS })).verdict,
    ).toMatchObject({
      state: 'mismatched',
      bucketsChecked: 3,
      bucketsMatched: 2,
      mismatches: [{ key: 'XXX', source: null, bucket: { count: 1 } }],
    });
    // Nothing in the source, nothing stored, one row too many: never fewer than no bucket matched.
    expect(
      (await prove([], new HandStore([], [orphan]), { from: 0, to: 2 * HOUR_MS })).verdict,
    ).toMatchObject({ state: 'mismatched', bucketsChecked: 1, bucketsMatched: 0 });
  });

  test('of a window that cuts its first and last bucket looks at the part inside, whatever lies around it', async () => {
    const around = quarterHourly(6);
    const window = { from: HOUR_MS + HOUR_MS / 2, to: 4 * HOUR_MS + HOUR_MS / 4 };
    const inside = around.filter(({ at }) => at >= window.from && at < window.to);
    const { verdict } = await prove(around, new HandStore(around), window);
    expect(verdict).toMatchObject({ state: 'matched', bucketsChecked: 4, eventsChecked: inside.length });
    const lost = around.filter((event) => event !== inside[0]);
    expect((await prove(around, new HandStore(lost), window)).verdict).toMatchObject({
      state: 'mismatched',
      bucketsMatched: 3,
    });
    // Outside the window something may be missing.
    const elsewhere = around.slice(1);
    expect((await prove(around, new HandStore(elsewhere), window)).verdict).toMatchObject({
      state: 'matched',
    });
  });

  test('of a window that cuts buckets reads no other bucket twice', async () => {
    const source = quarterHourly(100);
    const store = new HandStore(source);
    const window = { from: HOUR_MS / 2, to: 90 * HOUR_MS + HOUR_MS / 4 };
    expect((await prove(source, store, window)).verdict).toMatchObject({
      state: 'matched',
      bucketsChecked: 91,
    });
    const read = (hour: number) =>
      store.asked.filter(({ from, to }) => from < (hour + 1) * HOUR_MS && to > hour * HOUR_MS).length;
    expect(read(0)).toBe(2);
    expect(read(90)).toBe(2);
    for (let hour = 1; hour < 90; hour++) expect(read(hour), `hour ${hour}`).toBe(1);
  });

  test('finds nothing in source and store: no bucket, which is not a mismatch', async () => {
    expect((await prove([], new HandStore([]), { from: 0, to: 24 * HOUR_MS })).verdict).toMatchObject({
      state: 'matched',
      bucketsChecked: 0,
      eventsChecked: 0,
    });
  });

  test('over centuries with a few events takes few steps, holds no more than a week, and misses nothing', async () => {
    const window = { from: 0, to: 220 * 52 * WEEK_MS };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: window.to / HOUR_MS - 1 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('none', 'stored', 'source', 'row'),
        async (hours, missing) => {
          const [first, ...rest] = [...new Set(hours)].flatMap((hour) =>
            events(3).map((event) => ({ ...event, id: `${hour} ${event.id}`, at: hour * HOUR_MS })),
          ) as [PipelineEvent, ...PipelineEvent[]];
          const all = [first, ...rest];
          const store = new HandStore(
            missing === 'stored' ? rest : all,
            missing === 'row' ? bucketDeltas(rest, HOUR_MS) : undefined,
          );
          const { verdict } = await prove(missing === 'source' ? rest : all, store, window);
          expect(verdict?.state).toBe(missing === 'none' ? 'matched' : 'mismatched');
          expect(verdict?.bucketsChecked).toBe(new Set(hours).size);
          expect(store.asked.length).toBeLessThan(400);
          expect(store.mostOfLong).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('that was stopped gives no verdict, also when the reading was cut short in its midst', async () => {
    const source = quarterHourly(24);
    const stop = new AbortController();
    const history = new WorldHistory(source);
    history.beforeBatch = () => stop.abort();
    expect(
      (
        await prove(
          source,
          new HandStore(source),
          { from: 0, to: 24 * HOUR_MS },
          { signal: stop.signal, history },
        )
      ).verdict,
    ).toBe(null);
    let slices = 0;
    expect(
      (
        await prove(
          source,
          new HandStore(source),
          { from: 0, to: 24 * HOUR_MS },
          { mayContinue: () => ++slices < 3 },
        )
      ).verdict,
    ).toBe(null);
  });

  test('waits for a store that is restarting, and fails on any other fault', async () => {
    const source = quarterHourly(24);
    const store = new HandStore(source);
    let asked = 0;
    store.beforeAnswer = () => {
      if (++asked % 2 === 0 && asked < 20) throw new StoreError('store_unavailable', 'restarting');
    };
    expect((await prove(source, store, { from: 0, to: 24 * HOUR_MS })).verdict).toMatchObject({
      state: 'matched',
      bucketsChecked: 24,
    });
    store.beforeAnswer = () => {
      throw new StoreError('store_failed', 'no such table');
    };
    const rejected = expect(
      proveLane({
        history: new WorldHistory(source),
        store,
        sourceId: 'east',
        window: { from: 0, to: HOUR_MS },
        bucketMs: HOUR_MS,
        eventsPerSecond: null,
        clock: virtualClock,
        signal: new AbortController().signal,
        mayContinue: () => true,
        progressed: () => {},
        used: () => {},
      }),
    ).rejects.toThrow('no such table');
    await vi.advanceTimersByTimeAsync(1_000);
    await rejected;
  });

  test('reads no faster than it may: in any second no more than that, and a slice of half a second', async () => {
    const source = quarterHourly(500);
    const store = new HandStore(source);
    const reads: { atMs: number; events: number }[] = [];
    const startedMs = virtualClock.monotonic();
    let endedMs = Number.NaN;
    const proof = proveLane({
      history: new WorldHistory(source),
      store,
      sourceId: 'east',
      window: { from: 0, to: 500 * HOUR_MS },
      bucketMs: HOUR_MS,
      eventsPerSecond: 100,
      clock: virtualClock,
      signal: new AbortController().signal,
      mayContinue: () => true,
      progressed: ({ eventsChecked }) => {
        reads.push({ atMs: virtualClock.monotonic() - startedMs, events: eventsChecked });
      },
      used: () => {},
    }).finally(() => {
      endedMs = virtualClock.monotonic();
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await proof).toMatchObject({ state: 'matched', eventsChecked: 2_000 });
    expect((endedMs - startedMs) / 1000).toBeCloseTo(20, 0);
    const readBy = (atMs: number) => reads.findLast((read) => read.atMs <= atMs)?.events ?? 0;
    for (const { atMs, events: after } of reads)
      expect(after - readBy(atMs - 1_000)).toBeLessThanOrEqual(100 * 1.5);
  });

  test('names at most a hundred mismatches, and counts them all', async () => {
    const source = quarterHourly(300);
    const { verdict } = await prove(source, new HandStore([]), { from: 0, to: 300 * HOUR_MS });
    expect(verdict).toMatchObject({ state: 'mismatched', bucketsChecked: 300, bucketsMatched: 0 });
    expect(verdict?.mismatches).toHaveLength(100);
  });

  test('whatever the window and the damage: matched exactly when the window holds no damage', async () => {
    const minute = HOUR_MS / 60;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(600),
        fc.integer({ min: 1, max: 600 }),
        fc.nat(99),
        async (fromMinute, minutes, damaged) => {
          const source = events(100, { everyMs: 7 * minute });
          const window = { from: fromMinute * minute, to: (fromMinute + minutes) * minute };
          const missing = source[damaged] as PipelineEvent;
          const { verdict } = await prove(
            source,
            new HandStore(source.filter((event) => event !== missing)),
            window,
          );
          const hit = missing.at >= window.from && missing.at < window.to;
          expect(verdict?.state).toBe(hit ? 'mismatched' : 'matched');
          expect((verdict?.bucketsChecked ?? 0) - (verdict?.bucketsMatched ?? 0)).toBe(hit ? 1 : 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('slices grow while the store is quick, shrink while it is slow, and stay within a week while there is something', () => {
  const next = (buckets: number, storeMs: number) => nextSliceBuckets(buckets, { storeMs, events: 10 }, null);
  expect(next(4, 1)).toBe(8);
  expect(next(4, 20)).toBe(4);
  expect(next(4, 100)).toBe(2);
  expect(next(1, 5_000)).toBe(1);
  expect(next(168, 1)).toBe(168);
  expect(nextSliceBuckets(168, { storeMs: 1, events: 0 }, null)).toBe(336);
  expect(nextSliceBuckets(336, { storeMs: 20, events: 0 }, null)).toBe(336);
  expect(next(336, 1)).toBe(168);
});

test('slices hold no more than half a second of what may be read, however quick the store is', () => {
  const next = (events: number) => nextSliceBuckets(4, { storeMs: 1, events }, 100);
  expect(next(25)).toBe(8);
  expect(next(26)).toBe(4);
  expect(next(51)).toBe(2);
});
