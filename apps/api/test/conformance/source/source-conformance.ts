/** What every history has to do. A new adapter runs this suite; so does a wrapper around one. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineEvent, QuarantinedEvent } from '../../../src/data-plane/event.ts';
import type { HistoryBatch, HistorySource, TimeRange } from '../../../src/data-plane/ports.ts';

/** A row as the history holds it; null and fractions are what must be quarantined. */
export interface HistoryRow {
  readonly at: number | null;
  readonly key: string | null;
  readonly value: number | null;
}

/** Longer than the key of an event may be. */
const LONG = 'k'.repeat(401);
/** Keys of the two sources of a history under test; rows with other keys are no events. */
export const conformanceSources = { north: ['k0', 'k1', 'k2', 'k3', LONG], south: ['k4', 'k5'] };

export interface HistoryUnderTest {
  readonly history: HistorySource;
  /** All events in the order of the history, with the ids this adapter gives. */
  readonly expected: readonly PipelineEvent[];
  /** Rows that are no events, in order. */
  readonly quarantined: readonly Pick<QuarantinedEvent, 'sourceId' | 'address'>[];
  /** Rows in one pass. */
  readonly rows: number;
  /** A second, fresh reader of the same place. */
  reopen(): HistorySource;
  /** Changes one measure and nothing else; where nothing can be changed, adds one. */
  change(): Promise<void>;
  remove(): Promise<void>;
  /** False: what is removed is there for who has it open. */
  readonly goes?: false;
  /** Of those at which something happened, every so many-th is read by itself: a reading asks a server. Default: each. */
  readonly instantEvery?: number;
  dispose(): Promise<void>;
}

const sourceIds = Object.keys(conformanceSources);
const everything = { from: -8.64e15, to: 8.64e15 };

export function sourceConformance(name: string, open: () => Promise<HistoryUnderTest>): void {
  describe(`history: ${name}`, () => {
    let test: HistoryUnderTest;
    let history: HistorySource;
    beforeAll(async () => {
      test = await open();
      history = test.history;
    });
    afterAll(async () => {
      await history?.close();
      await test?.dispose();
    });

    const expectedIn = (sourceId: string, { from, to }: TimeRange) =>
      test.expected.filter((event) => event.sourceId === sourceId && event.at >= from && event.at < to);
    const read = (
      sourceId: string,
      range: TimeRange,
      maxEvents = 1000,
      after: string | null = null,
      signal = new AbortController().signal,
    ) => batchesOf(history.read({ sourceId, range, after, maxEvents, signal }));

    it('gives every event of a source once, in order, with its fields', async () => {
      for (const sourceId of sourceIds) {
        const expected = expectedIn(sourceId, everything);
        expect(expected.length).toBeGreaterThan(0);
        expect(eventsOf(await read(sourceId, everything))).toEqual(expected);
      }
    });

    it('describes the range that holds all of it', async () => {
      const { range, rows, bytes } = await history.describe();
      expect(rows).toBe(test.rows);
      expect(bytes).toBeGreaterThan(0);
      for (const event of test.expected) expect(event.at >= range.from && event.at < range.to).toBe(true);
    });

    it('reads half-open ranges in batches, and goes on from every cursor', async () => {
      const times = [...new Set(test.expected.map(({ at }) => at))].sort((a, b) => a - b);
      const time = fc
        .tuple(fc.nat({ max: times.length - 1 }), fc.constantFrom(-1, 0, 1))
        .map(([index, offset]) => (times[index] as number) + offset);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...sourceIds),
          time,
          time,
          fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 5000 })),
          fc.nat(),
          async (sourceId, one, other, cap, seed) => {
            const range = { from: Math.min(one, other), to: Math.max(one, other) };
            // A narrow cap over a wide range is hundreds of batches and finds nothing more.
            const maxEvents = Math.max(cap, Math.ceil(expectedIn(sourceId, range).length / 12));
            const batches = await read(sourceId, range, maxEvents);
            expect(eventsOf(batches)).toEqual(expectedIn(sourceId, range));
            for (const batch of batches) {
              expect(batch.events.length + batch.quarantined.length).toBeGreaterThan(0);
              expect(batch.events.length).toBeLessThanOrEqual(maxEvents);
            }
            for (const [index, batch] of batches.entries()) {
              const rest = await read(sourceId, range, 1 + ((seed + index) % (2 * maxEvents)), batch.cursor);
              expect(eventsOf(rest)).toEqual(eventsOf(batches.slice(index + 1)));
              expect(rest.flatMap(({ quarantined }) => quarantined)).toEqual(
                batches.slice(index + 1).flatMap(({ quarantined }) => quarantined),
              );
            }
          },
        ),
        { numRuns: 40 },
      );
    });

    it('finds each event in the millisecond it happened in', async () => {
      const byTime = Map.groupBy(expectedIn('north', everything), ({ at }) => at);
      const instants = [...byTime].filter((_, index) => index % (test.instantEvery ?? 1) === 0);
      for (const [at, events] of instants) {
        const found = eventsOf(await read('north', { from: at, to: at + 1 }));
        expect(found.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      }
    });

    it('meets each quarantined row in exactly one of adjoining ranges', async () => {
      const { range } = await history.describe();
      const pieces = 7;
      const step = Math.ceil((range.to - range.from) / pieces);
      const met: QuarantinedEvent[] = [];
      for (const sourceId of sourceIds) {
        for (let piece = 0; piece < pieces; piece++) {
          const batches = await read(
            sourceId,
            { from: range.from + piece * step, to: range.from + (piece + 1) * step },
            100,
          );
          met.push(...batches.flatMap(({ quarantined }) => quarantined));
        }
      }
      const found = met.map(({ sourceId, address }) => `${sourceId} ${address}`);
      expect(found.sort()).toEqual(
        test.quarantined.map(({ sourceId, address }) => `${sourceId} ${address}`).sort(),
      );
    });

    it('serves readers at once as it serves them one by one', async () => {
      const { range } = await history.describe();
      const middle = Math.floor((range.from + range.to) / 2);
      const ranges = [range, { from: range.from, to: middle }, { from: middle, to: range.to }];
      const reads = sourceIds.flatMap((sourceId) => ranges.map((part) => ({ sourceId, part })));
      const results = await Promise.all(reads.map(({ sourceId, part }) => read(sourceId, part, 37)));
      for (const [index, { sourceId, part }] of reads.entries())
        expect(eventsOf(results[index] ?? [])).toEqual(expectedIn(sourceId, part));
    });

    it('has nothing in an empty range or outside its own', async () => {
      const { range } = await history.describe();
      const at = test.expected[0]?.at ?? 0;
      for (const empty of [
        { from: at, to: at },
        { from: at + 1, to: at },
        { from: range.from - 1000, to: range.from },
        { from: range.to, to: range.to + 1000 },
      ]) {
        for (const sourceId of sourceIds) expect(await read(sourceId, empty)).toEqual([]);
      }
    });

    it('counts what a read gives', async () => {
      const day = 86_400_000;
      for (const stepMs of [60_000, 3_600_000, day]) {
        const { from, counts, laps, stepMs: stepGiven } = await history.count(stepMs);
        expect(stepGiven).toBe(stepMs);
        expect(Math.abs(from % stepMs)).toBe(0);
        expect(Object.keys(counts).sort()).toEqual([...sourceIds].sort());
        const { range } = await history.describe();
        for (const sourceId of sourceIds) {
          const counted = new Map<number, number>();
          for (let lap = 0; lap < (laps?.laps ?? 1); lap++) {
            counts[sourceId]?.forEach((count, step) => {
              const start = from + step * stepMs + lap * (laps?.spanMs ?? 0);
              if (count > 0 && start < range.to) counted.set(start, (counted.get(start) ?? 0) + count);
            });
          }
          const expected = new Map<number, number>();
          for (const { at } of expectedIn(sourceId, range))
            expected.set(
              Math.floor(at / stepMs) * stepMs,
              (expected.get(Math.floor(at / stepMs) * stepMs) ?? 0) + 1,
            );
          expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(expected));
        }
      }
    });

    it('counts the rows that a reading quarantines, or says that it does not know', async () => {
      const { quarantined, estimated, laps } = await history.count(60_000);
      // Those that lie past the end of the last lap are not met there.
      if (quarantined === null) return expect(estimated || laps !== null).toBe(true);
      const met = (sourceId: string) => test.quarantined.filter((row) => row.sourceId === sourceId).length;
      expect(quarantined).toEqual(Object.fromEntries(sourceIds.map((id) => [id, met(id)])));
    });

    it('stops when it is told to', async () => {
      const controller = new AbortController();
      const reason = new Error('paused');
      const reading = history
        .read({ sourceId: 'north', range: everything, after: null, maxEvents: 1, signal: controller.signal })
        [Symbol.asyncIterator]();
      expect((await reading.next()).done).toBe(false);
      controller.abort(reason);
      await expect(reading.next()).rejects.toBe(reason);
      await expect(read('north', everything, 1, null, controller.signal)).rejects.toBe(reason);
    });

    it('refuses what makes no sense', async () => {
      const signal = new AbortController().signal;
      const attempt = async (change: object) =>
        batchesOf(
          history.read({
            sourceId: 'north',
            range: everything,
            after: null,
            maxEvents: 10,
            signal,
            ...change,
          }),
        );
      await expect(attempt({ sourceId: 'nowhere' })).rejects.toThrow(RangeError);
      await expect(attempt({ after: 'not a cursor' })).rejects.toThrow(RangeError);
      await expect(attempt({ maxEvents: 0 })).rejects.toThrow(RangeError);
      await expect(attempt({ maxEvents: 1.5 })).rejects.toThrow(RangeError);
    });

    it('has a fingerprint that follows the content, and says when it is gone', async () => {
      const before = (await history.describe()).fingerprint;
      const version = await history.version();
      expect(await history.version()).toBe(version);
      const fingerprintNow = async () => {
        const reader = test.reopen();
        try {
          return (await reader.describe()).fingerprint;
        } finally {
          await reader.close();
        }
      };
      expect(await fingerprintNow()).toBe(before);
      await test.change();
      expect(await fingerprintNow()).not.toBe(before);
      expect(await history.version()).not.toBe(version);
      // What is described then is no older than the version.
      expect((await history.describe()).fingerprint).toBe(await fingerprintNow());
      await test.remove();
      await expect(fingerprintNow()).rejects.toMatchObject({ name: 'SourceError', code: 'source_missing' });
      if (test.goes !== false)
        await expect(history.version()).rejects.toMatchObject({ code: 'source_missing' });
    });
  });
}

export async function batchesOf(reading: AsyncIterable<HistoryBatch>): Promise<HistoryBatch[]> {
  const batches: HistoryBatch[] = [];
  for await (const batch of reading) batches.push(batch);
  return batches;
}

export function eventsOf(batches: readonly HistoryBatch[]): PipelineEvent[] {
  return batches.flatMap(({ events }) => events);
}

/** The events of `rows`, as the suite understands them. */
export function eventsIn(rows: readonly HistoryRow[], idOf: (row: number) => string): PipelineEvent[] {
  return rows.flatMap(({ at, key, value }, row) => {
    const sourceId = sourceOf(key);
    return isSound({ at, key, value }) && sourceId
      ? [{ id: idOf(row), sourceId, key: key as string, at: at as number, value: value as number }]
      : [];
  });
}

/** What an event may be: of 1970 to 2200, with a key that is not too long. */
function isSound({ at, key, value }: HistoryRow): boolean {
  const timed = at !== null && at >= 0 && at < Date.UTC(2200, 0);
  return timed && key !== null && key !== LONG && Number.isSafeInteger(value);
}

/** The rows that must be quarantined: by the source of their key, or by the first source when they have none. */
export function quarantinedIn(
  rows: readonly HistoryRow[],
  addressOf: (row: number) => string,
): { sourceId: string; address: string }[] {
  return rows.flatMap(({ at, key, value }, row) => {
    const sourceId = key === null ? (sourceIds[0] as string) : sourceOf(key);
    return sourceId && !isSound({ at, key, value }) ? [{ sourceId, address: addressOf(row) }] : [];
  });
}

function sourceOf(key: string | null): string | undefined {
  return Object.entries(conformanceSources).find(([, keys]) => key !== null && keys.includes(key))?.[0];
}

/** Rows over ten days from `from`, the same for the same seed. A tenth has a key of no source. */
export function rowsFrom(options: {
  count: number;
  from: number;
  seed: number;
  sorted: boolean;
  damaged: boolean;
}): HistoryRow[] {
  let state = options.seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const rows = Array.from(
    { length: options.count },
    (): HistoryRow => ({
      at: options.from + random(864_000) * 1000,
      key: `k${random(7)}`,
      value: random(2000) - 500,
    }),
  );
  if (options.sorted) rows.sort((a, b) => (a.at as number) - (b.at as number));
  if (!options.damaged) return rows;
  return rows.map((row, index) => {
    if (index % 97 === 5) return { ...row, at: null };
    if (index % 89 === 7) return { ...row, key: null };
    if (index % 83 === 11) return { ...row, value: null };
    if (index % 79 === 13) return { ...row, value: row.value === null ? null : row.value + 0.5 };
    if (index % 1009 === 17) return { ...row, value: 2 ** 60 };
    if (index % 101 === 19) return { ...row, key: LONG };
    if (index % 103 === 23) return { ...row, at: Date.UTC(2200, 0) + index };
    return row;
  });
}
