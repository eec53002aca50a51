/** The applier's channel between stream and store: it is read ahead of what is committed, and never by more than two readings (14). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lane } from '../../src/data-plane/apply/lane.ts';
import type { DeliveredEntry, DurableStream } from '../../src/data-plane/ports.ts';

const HELD_MAX = 2_000;
const settled = () => new Promise((done) => setImmediate(done));

/** On a stream that has always more. */
function lane() {
  let next = 0;
  let underWay = 0;
  let mostUnderWay = 0;
  const stop = new AbortController();
  const entryAt = (offset: number): DeliveredEntry => ({
    offset: String(offset),
    entry: { type: 'marker', backfillId: 'bf', leaseId: 'ls', fencingToken: 1, count: 1, publishedAt: 0 },
  });
  const stream = {
    name: 'replay',
    consumer: () => ({
      read: async ({ maxEntries }: { maxEntries: number }) => {
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
        await settled();
        underWay -= 1;
        return Array.from({ length: maxEntries }, () => entryAt(next++));
      },
      acknowledge: async () => {},
    }),
    trim: async () => 0,
  } as unknown as DurableStream;
  const own = new Lane({
    stream,
    fence: 1,
    position: null,
    signal: stop.signal,
    clock: { now: () => 0, monotonic: () => 0 },
    arrived: () => {},
    trims: () => {},
    highWaterMark: () => 1_000_000,
  });
  return { own, stop, read: () => next, mostUnderWay: () => mostUnderWay };
}

test('with a store that takes nothing it stops, one reading after another', async () => {
  const { own, read, mostUnderWay } = lane();
  for (let look = 0; look < 20; look++) {
    for (let again = 0; again < 3; again++) own.readAhead(1_000);
    await settled();
    await settled();
  }
  expect(own.waiting.length).toBe(1_000);
  expect(read()).toBe(1_000);
  expect(mostUnderWay()).toBe(1);
});

test('however large the batches and however the store takes them, two readings are held at most, in order', async () => {
  const step = fc.record({
    rows: fc.integer({ min: 1, max: 1_000 }),
    finishes: fc.integer({ min: 0, max: 1_200 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { own, read } = lane();
      let finished = 0;
      for (const { rows, finishes } of steps) {
        own.readAhead(rows);
        await settled();
        await settled();
        const taken = Math.min(finishes, own.waiting.length);
        own.readAhead(rows, taken);
        await settled();
        await settled();
        expect(own.waiting.length).toBeLessThanOrEqual(HELD_MAX);
        expect(own.waiting.length).toBe(read() - finished);
        if (taken === 0) continue;
        expect(own.waiting[0]?.offset).toBe(String(finished));
        finished += taken;
        await own.finish(taken, String(finished - 1));
      }
    }),
    { numRuns: 50 },
  );
});

test('what is being committed counts for nothing: besides it a whole reading is held', async () => {
  const { own, read } = lane();
  for (const committing of [0, 1_000, 1_000, 1_000]) {
    own.readAhead(1_000, committing);
    await settled();
    await settled();
  }
  expect(read()).toBe(2_000);
  own.finish(700, '699');
  own.readAhead(1_000, 500);
  await settled();
  await settled();
  expect(own.waiting.length).toBe(500 + 1_000);
});

test('nothing is read on once it has been stopped', async () => {
  const { own, stop, read } = lane();
  stop.abort();
  own.readAhead(1_000);
  await settled();
  expect(read()).toBe(0);
});
