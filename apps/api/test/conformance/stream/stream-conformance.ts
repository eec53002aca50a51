/**
 * What every adapter of {@link DurableStream} must do. An adapter runs it with one file: a module that exports a
 * {@link StreamAdapter}, and `streamConformance('its name', 'path of that module')`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type {
  DeliveredEntry,
  DurableStream,
  GroupStats,
  StreamConsumer,
  StreamEntry,
  StreamOffset,
} from '../../../src/data-plane/ports.ts';
import { idOf, liveEvent, liveEvents } from './entries.ts';
import { Neighbour } from './neighbour.ts';
import { loadStreamAdapter, type StreamAdapter } from './stream-adapter.ts';

const NEVER = new AbortController().signal;

export function streamConformance(name: string, modulePath: string): void {
  let adapter: StreamAdapter;
  let cleanups: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    adapter = await loadStreamAdapter(modulePath);
  });

  afterEach(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    cleanups = [];
  });

  async function emptyPlace(): Promise<string> {
    const place = await adapter.prepare();
    cleanups.push(() => adapter.clear(place));
    return place;
  }

  async function opened(place: string): Promise<DurableStream> {
    const stream = await adapter.open(place);
    cleanups.push(() => stream.close());
    return stream;
  }

  async function emptyStream(): Promise<DurableStream> {
    return opened(await emptyPlace());
  }

  async function neighbourAt(place: string, neighbourName: string): Promise<Neighbour> {
    return Neighbour.start(modulePath, place, neighbourName);
  }

  describe(`${name}: append and read`, () => {
    test('entries come back as they were, in order, after the offset asked for', async () => {
      const stream = await emptyStream();
      const entries: StreamEntry[] = [
        liveEvent('a', 1_000),
        {
          type: 'event',
          event: { id: 'b', sourceId: 'östlich', key: '𝄞', at: -1, value: Number.MIN_SAFE_INTEGER },
          publisher: { kind: 'backfill', backfillId: 'first' },
          publishedAt: 2_000,
        },
        {
          type: 'event',
          event: {
            id: 'c',
            sourceId: 'west',
            key: '',
            at: 8_640_000_000_000_000,
            value: Number.MAX_SAFE_INTEGER,
          },
          publisher: { kind: 'backfill', backfillId: 'second' },
          publishedAt: 3_000,
        },
        {
          type: 'marker',
          backfillId: 'first',
          leaseId: 'lease',
          fencingToken: 7,
          count: 2,
          publishedAt: 4_000,
        },
      ];
      const { firstOffset, lastOffset } = await stream.producer.append(entries);
      const delivered = await readAll(stream.consumer('reader'), null, 4);
      expect(delivered.map(({ entry }) => entry)).toEqual(entries);
      expect(delivered[0]?.offset).toBe(firstOffset);
      expect(delivered[3]?.offset).toBe(lastOffset);
      const rest = await readAll(stream.consumer('reader'), delivered[1]?.offset ?? null, 2);
      expect(rest).toEqual(delivered.slice(2));
    });

    test('any event of any text and any safe integers survives the journey', async () => {
      const stream = await emptyStream();
      const consumer = stream.consumer('reader');
      const text = fc.string({ unit: 'grapheme', maxLength: 300 });
      const integer = fc.maxSafeInteger();
      const event = fc.record({ id: text, sourceId: text, key: text, at: integer, value: integer });
      const publisher = fc.oneof(
        fc.constant({ kind: 'live' as const }),
        fc.record({ kind: fc.constant('backfill' as const), backfillId: text }),
      );
      const entry: fc.Arbitrary<StreamEntry> = fc.oneof(
        fc.record({ type: fc.constant('event' as const), event, publisher, publishedAt: integer }),
        fc.record({
          type: fc.constant('marker' as const),
          backfillId: text,
          leaseId: text,
          fencingToken: integer,
          count: integer,
          publishedAt: integer,
        }),
      );
      let after: StreamOffset | null = null;
      await fc.assert(
        fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 20 }), async (entries) => {
          const { lastOffset } = await stream.producer.append(entries);
          const delivered = await readAll(consumer, after, entries.length);
          after = lastOffset;
          expect(delivered.map((one) => one.entry)).toEqual(entries);
        }),
        { numRuns: 50 },
      );
    });

    test('an append tells its bytes: what the stream grew by', async () => {
      const stream = await emptyStream();
      for (const count of [1, 2, 1_000]) {
        const before = (await stream.stats('reader')).lengthBytes;
        const { bytes } = await stream.producer.append(liveEvents('e', count));
        expect(bytes).toBeGreaterThan(count);
        const after = (await stream.stats('reader')).lengthBytes;
        expect(after).toBe(adapter.bytesUnknown ? null : Number(before) + bytes);
      }
    });

    test('offsets rise in the order of their text, across appends of any size', async () => {
      const stream = await emptyStream();
      const offsets: StreamOffset[] = [];
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (count) => {
          const { firstOffset, lastOffset } = await stream.producer.append(liveEvents('e', count));
          if (count > 1) expect(firstOffset < lastOffset).toBe(true);
          else expect(firstOffset).toBe(lastOffset);
          offsets.push(firstOffset, lastOffset);
        }),
        { numRuns: 50 },
      );
      expect(offsets).toEqual(offsets.toSorted());
      const delivered = await readAll(stream.consumer('reader'), null, await stream.producer.length());
      const read = delivered.map(({ offset }) => offset);
      expect(read).toEqual(read.toSorted());
      expect(new Set(read).size).toBe(read.length);
    });

    test('at most maxEntries at a time', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 10));
      const entries = await stream
        .consumer('reader')
        .read({ after: null, maxEntries: 3, waitMs: 0, signal: NEVER });
      expect(entries.length).toBeGreaterThan(0);
      expect(entries.length).toBeLessThanOrEqual(3);
    });

    test('an empty append changes nothing', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 1), 'one');
      await stream.producer.append([], 'two').catch(() => {});
      expect(await stream.producer.length()).toBe(1);
      expect(await stream.producer.producerState()).toBe('one');
    });

    test('what was appended is there after it is opened again', async () => {
      const place = await emptyPlace();
      const before = await adapter.open(place);
      const appended = await before.producer.append(liveEvents('e', 100), 'at 100');
      const read = await readAll(before.consumer('reader'), null, 100);
      await before.consumer('reader').acknowledge((read[49] as DeliveredEntry).offset);
      await before.close();

      const after = await opened(place);
      expect(await readAll(after.consumer('reader'), null, 100)).toEqual(read);
      expect(await after.producer.producerState()).toBe('at 100');
      expect(await after.stats('reader')).toMatchObject({
        length: 100,
        lastOffset: appended.lastOffset,
        group: { acknowledged: read[49]?.offset, lagEntries: 50 },
      });
      const next = await after.producer.append(liveEvents('later', 1));
      expect(next.firstOffset > appended.lastOffset).toBe(true);
    });

    test('a closed stream refuses', async () => {
      const stream = await emptyStream();
      const consumer = stream.consumer('reader');
      await consumer.read({ after: null, maxEntries: 1, waitMs: 0, signal: NEVER });
      await stream.close();
      await expect(stream.producer.append(liveEvents('e', 1))).rejects.toMatchObject({
        code: 'stream_unavailable',
      });
      await expect(
        consumer.read({ after: null, maxEntries: 1, waitMs: 0, signal: NEVER }),
      ).rejects.toMatchObject({ code: 'stream_unavailable' });
      await stream.close();
    });
  });

  describe(`${name}: producer state`, () => {
    test('null before the first, then that of the last append that brought one', async () => {
      const stream = await emptyStream();
      expect(await stream.producer.producerState()).toBeNull();
      await stream.producer.append(liveEvents('e', 1));
      expect(await stream.producer.producerState()).toBeNull();
      await stream.producer.append(liveEvents('e', 1), 'row 1');
      await stream.producer.append(liveEvents('e', 1));
      expect(await stream.producer.producerState()).toBe('row 1');
    });

    test('can be moved on without an entry, which changes nothing else', async () => {
      const place = await emptyPlace();
      const stream = await adapter.open(place);
      await stream.producer.append(liveEvents('e', 1), 'row 1');
      const before = await stream.stats('reader');
      await stream.producer.keepState('row 2');
      expect(await stream.producer.producerState()).toBe('row 2');
      expect(await stream.stats('reader')).toMatchObject({ length: 1, lastOffset: before.lastOffset });
      await stream.close();
      expect(await (await opened(place)).producer.producerState()).toBe('row 2');
    });

    test('is never seen without its entries', async () => {
      const place = await emptyPlace();
      const [writer, watcher] = [await opened(place), await opened(place)];
      let writing = true;
      const write = async (): Promise<void> => {
        for (let round = 1; round <= 100; round++) {
          await writer.producer.append(liveEvents('e', 10), String(round * 10));
          await nextTurn();
        }
        writing = false;
      };
      const watch = async (): Promise<void> => {
        while (writing) {
          const promised = Number(await watcher.producer.producerState());
          expect(await watcher.producer.length()).toBeGreaterThanOrEqual(promised);
          await nextTurn();
        }
      };
      await Promise.all([write(), watch()]);
      expect(await watcher.producer.length()).toBe(1000);
    });
  });

  describe(`${name}: groups and lag`, () => {
    test('each group has its own place and its own lag', async () => {
      const stream = await emptyStream();
      const publishedAt = Date.now() - 60_000;
      await stream.producer.append(
        Array.from({ length: 5 }, (_, index) => liveEvent(`old#${index}`, publishedAt)),
      );
      await stream.producer.append(liveEvents('new', 5));
      const [fast, slow] = [stream.consumer('fast'), stream.consumer('slow')];
      const delivered = await readAll(fast, null, 10);
      expect(await readAll(slow, null, 10)).toEqual(delivered);
      await fast.acknowledge((delivered[6] as DeliveredEntry).offset);

      const [ofFast, ofSlow] = [await groupOf(stream, 'fast'), await groupOf(stream, 'slow')];
      expect(ofFast).toMatchObject({ acknowledged: delivered[6]?.offset, lagEntries: 3 });
      expect(ofFast?.lagMs).toBeLessThan(30_000);
      expect(ofSlow).toMatchObject({ acknowledged: null, lagEntries: 10 });
      expect(ofSlow?.lagMs).toBeGreaterThanOrEqual(60_000);
      expect(ofSlow?.lagMs).toBeLessThan(90_000);

      await slow.acknowledge((delivered[9] as DeliveredEntry).offset);
      expect(await groupOf(stream, 'slow')).toMatchObject({ lagEntries: 0, lagMs: 0 });
    });

    test('a group is seen by whoever asks, also who reads nothing', async () => {
      const place = await emptyPlace();
      const [reading, watching] = [await opened(place), await opened(place)];
      await reading.producer.append(liveEvents('e', 3));
      expect(await groupOf(watching, 'reader')).toBeNull();
      await readAll(reading.consumer('reader'), null, 3);
      expect(await groupOf(watching, 'reader')).toMatchObject({ acknowledged: null, lagEntries: 3 });
    });

    test('an acknowledgement never moves backwards', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 10));
      const consumer = stream.consumer('reader');
      const delivered = await readAll(consumer, null, 10);
      await consumer.acknowledge((delivered[7] as DeliveredEntry).offset);
      await consumer.acknowledge((delivered[2] as DeliveredEntry).offset);
      expect(await groupOf(stream, 'reader')).toMatchObject({
        acknowledged: delivered[7]?.offset,
        lagEntries: 2,
      });
    });
  });

  describe(`${name}: length and trimming`, () => {
    test('length, bytes and age of what is held', async () => {
      const stream = await emptyStream();
      expect(await stream.stats('reader')).toEqual({
        length: 0,
        lengthBytes: 0,
        oldestPublishedAt: null,
        lastOffset: null,
        group: null,
        ...(adapter.accepted === undefined ? {} : { accepted: adapter.accepted }),
      });
      await stream.producer.append([liveEvent('a', 5_000), liveEvent('b', 6_000)]);
      const few = await stream.stats('reader');
      const { lastOffset } = await stream.producer.append(liveEvents('e', 1000));
      const many = await stream.stats('reader');
      expect(few).toMatchObject({ length: 2, oldestPublishedAt: 5_000 });
      expect(many).toMatchObject({ length: 1002, oldestPublishedAt: 5_000, lastOffset });
      expect(await stream.producer.length()).toBe(1002);
      if (adapter.bytesUnknown) return expect([few.lengthBytes, many.lengthBytes]).toEqual([null, null]);
      expect(few.lengthBytes).toBeGreaterThan(0);
      expect(many.lengthBytes).toBeGreaterThan(Number(few.lengthBytes) + 1000 * 20);
    });

    test('without a group nothing is trimmed', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 10));
      expect(await stream.trim()).toBe(0);
      expect(await stream.producer.length()).toBe(10);
    });

    test('a group that has only read holds everything', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 10));
      const delivered = await readAll(stream.consumer('ahead'), null, 10);
      await readAll(stream.consumer('behind'), null, 10);
      await stream.consumer('ahead').acknowledge((delivered[9] as DeliveredEntry).offset);
      expect(await stream.trim()).toBe(0);
      expect(await readAll(stream.consumer('behind'), null, 10)).toEqual(delivered);
    });

    test('up to the slowest group and no further; a group that was promised less finds it', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 5000));
      const [fast, slow] = [stream.consumer('fast'), stream.consumer('slow')];
      const delivered = await readAll(fast, null, 5000);
      await readAll(slow, null, 5000);
      const before = await stream.stats('reader');
      await fast.acknowledge((delivered[4999] as DeliveredEntry).offset);
      await slow.acknowledge((delivered[3999] as DeliveredEntry).offset);
      const trimmed = await trimUntilIdle(stream);
      expect(trimmed).toBeLessThanOrEqual(4000);
      expect(trimmed).toBeGreaterThan(0);
      const after = await stream.stats('reader');
      expect(after.length).toBe(5000 - trimmed);
      if (!adapter.bytesUnknown) expect(after.lengthBytes).toBeLessThan(Number(before.lengthBytes));
      expect(after.lastOffset).toBe(before.lastOffset);
      expect(await readAll(slow, (delivered[3999] as DeliveredEntry).offset, 1000)).toEqual(
        delivered.slice(4000),
      );
      expect(await groupOf(stream, 'slow')).toMatchObject({ lagEntries: 1000 });
    });

    test('an emptied stream goes on with higher offsets', async () => {
      const place = await emptyPlace();
      const stream = await adapter.open(place);
      const { lastOffset } = await stream.producer.append(liveEvents('e', 10));
      await readAll(stream.consumer('reader'), null, 10);
      await stream.consumer('reader').acknowledge(lastOffset);
      await trimUntilIdle(stream);
      await stream.close();
      const again = await opened(place);
      const next = await again.producer.append(liveEvents('later', 1));
      expect(next.firstOffset > lastOffset).toBe(true);
      expect(
        (await readAll(again.consumer('reader'), lastOffset, 1)).map(({ entry }) => idOf(entry)),
      ).toEqual(['later#0']);
    });

    test('asking for what was trimmed is a gap, not the next best entry', async () => {
      const stream = await emptyStream();
      await stream.producer.append(liveEvents('e', 3000));
      const consumer = stream.consumer('reader');
      const delivered = await readAll(consumer, null, 3000);
      await consumer.acknowledge((delivered[2499] as DeliveredEntry).offset);
      expect(await trimUntilIdle(stream)).toBeGreaterThan(1);
      await expect(
        consumer.read({
          after: (delivered[0] as DeliveredEntry).offset,
          maxEntries: 10,
          waitMs: 0,
          signal: NEVER,
        }),
      ).rejects.toMatchObject({ name: 'StreamError', code: 'gap' });
    });
  });

  describe(`${name}: waiting`, () => {
    test('returns empty when nothing comes in time', async () => {
      const stream = await emptyStream();
      const started = performance.now();
      expect(
        await stream.consumer('reader').read({ after: null, maxEntries: 10, waitMs: 30, signal: NEVER }),
      ).toEqual([]);
      expect(performance.now() - started).toBeGreaterThanOrEqual(29);
    });

    test('an append in another process wakes it', async () => {
      const place = await emptyPlace();
      const stream = await opened(place);
      const neighbour = await neighbourAt(place, 'neighbour');
      const consumer = stream.consumer('reader');
      await consumer.read({ after: null, maxEntries: 1, waitMs: 0, signal: NEVER });
      let after: StreamOffset | null = null;
      for (let round = 0; round < 20; round++) {
        const started = performance.now();
        const reading = consumer.read({ after, maxEntries: 10, waitMs: 20_000, signal: NEVER });
        const { lastOffset } = await neighbour.append(1);
        const delivered = await reading;
        expect(performance.now() - started).toBeLessThan(2_000);
        expect(delivered.map(({ entry }) => idOf(entry))).toEqual([`neighbour#${round}`]);
        expect(delivered[0]?.offset).toBe(lastOffset);
        after = lastOffset;
      }
      await neighbour.leave();
    });

    test('ends at once with its signal, and does not start with one already given', async () => {
      const stream = await emptyStream();
      const consumer = stream.consumer('reader');
      const abort = new AbortController();
      const reading = consumer.read({ after: null, maxEntries: 10, waitMs: 20_000, signal: abort.signal });
      await nextTurn();
      const aborted = performance.now();
      abort.abort();
      expect(await reading).toEqual([]);
      expect(
        await consumer.read({ after: null, maxEntries: 10, waitMs: 20_000, signal: abort.signal }),
      ).toEqual([]);
      expect(performance.now() - aborted).toBeLessThan(1_000);
    });

    test('ends when the stream is closed', async () => {
      const place = await emptyPlace();
      const stream = await adapter.open(place);
      const reading = stream
        .consumer('reader')
        .read({ after: null, maxEntries: 10, waitMs: 20_000, signal: NEVER })
        .catch(() => []);
      await nextTurn();
      await stream.close();
      expect(await reading).toEqual([]);
    });
  });

  describe(`${name}: several processes`, () => {
    test('opening and closing beside a busy producer loses none of its entries', {
      timeout: 60_000,
    }, async () => {
      const place = await emptyPlace();
      const neighbour = await neighbourAt(place, 'neighbour');
      const rounds = 100;
      const appendsPerRound = 20;
      let last: StreamOffset = '';
      for (let round = 0; round < rounds; round++) {
        const appending = Array.from({ length: appendsPerRound }, () => neighbour.append(3));
        const passing = await adapter.open(place);
        await passing.close();
        for (const { firstOffset, lastOffset } of await Promise.all(appending)) {
          expect(firstOffset > last).toBe(true);
          last = lastOffset;
        }
      }
      await neighbour.leave();
      const stream = await opened(place);
      const delivered = await readAll(stream.consumer('reader'), null, rounds * appendsPerRound * 3);
      expect(delivered.map(({ entry }) => idOf(entry))).toEqual(
        delivered.map((_, index) => `neighbour#${index}`),
      );
      expect(delivered.at(-1)?.offset).toBe(last);
    });

    test('producers in three processes lose nothing and share no offset', { timeout: 60_000 }, async () => {
      const place = await emptyPlace();
      const stream = await opened(place);
      const names = ['one', 'two', 'three'];
      const neighbours = await Promise.all(names.map((neighbourName) => neighbourAt(place, neighbourName)));
      const batches = 100;
      const results = await Promise.all(
        neighbours.map(async (neighbour, which) => {
          const appended: { first: StreamOffset; last: StreamOffset; count: number }[] = [];
          for (let batch = 0; batch < batches; batch++) {
            const count = 1 + ((batch * 7 + which) % 13);
            const { firstOffset, lastOffset } = await neighbour.append(count);
            appended.push({ first: firstOffset, last: lastOffset, count });
          }
          return appended;
        }),
      );
      await Promise.all(neighbours.map((neighbour) => neighbour.leave()));

      const total = results.flat().reduce((sum, { count }) => sum + count, 0);
      const delivered = await readAll(stream.consumer('reader'), null, total);
      expect(await stream.producer.length()).toBe(total);
      expect(new Set(delivered.map(({ offset }) => offset)).size).toBe(total);
      for (const [which, neighbourName] of names.entries()) {
        const mine = delivered.filter(({ entry }) => idOf(entry).startsWith(`${neighbourName}#`));
        expect(mine.map(({ entry }) => idOf(entry))).toEqual(
          mine.map((_, index) => `${neighbourName}#${index}`),
        );
        expect(mine.length).toBe(results[which]?.reduce((sum, { count }) => sum + count, 0));
        let index = 0;
        for (const { first, last, count } of results[which] ?? []) {
          expect(mine[index]?.offset).toBe(first);
          index += count;
          expect(mine[index - 1]?.offset).toBe(last);
        }
      }
    });
  });
}

/** Reads on until `count` entries came; an adapter may deliver them in several pieces. */
async function readAll(
  consumer: StreamConsumer,
  after: StreamOffset | null,
  count: number,
): Promise<DeliveredEntry[]> {
  const delivered: DeliveredEntry[] = [];
  while (delivered.length < count) {
    const entries = await consumer.read({
      after: delivered.at(-1)?.offset ?? after,
      maxEntries: count - delivered.length,
      waitMs: 5_000,
      signal: NEVER,
    });
    if (entries.length === 0) throw new Error(`only ${delivered.length} of ${count} entries came`);
    delivered.push(...entries);
  }
  return delivered;
}

/** An adapter may trim in pieces. */
async function trimUntilIdle(stream: DurableStream): Promise<number> {
  let total = 0;
  for (let removed = await stream.trim(); removed > 0; removed = await stream.trim()) total += removed;
  return total;
}

async function groupOf(stream: DurableStream, name: string): Promise<GroupStats | null> {
  return (await stream.stats(name)).group;
}
