/** What is applied leaves its stream soon: backpressure and the stream's ceiling rest on its length. */
import { expect, test } from 'vitest';
import { Lane } from '../../src/data-plane/apply/lane.ts';
import type { DurableStream } from '../../src/data-plane/ports.ts';

function lane(highWaterMark = 20_000) {
  let nowMs = 0;
  let trims = 0;
  const told: number[] = [];
  const stream = {
    name: 'replay',
    consumer: () => ({ read: async () => [], acknowledge: async () => {} }),
    trim: async () => 100 + trims++,
  } as unknown as DurableStream;
  const own = new Lane({
    stream,
    fence: 1,
    position: null,
    signal: new AbortController().signal,
    clock: { now: () => nowMs, monotonic: () => nowMs },
    trims: (removed) => void removed.then((entries) => told.push(entries)),
    arrived: () => {},
    highWaterMark: () => highWaterMark,
  });
  return {
    /** What each trim is told to have taken. */
    told,
    /** One commit after the other, never idle; how often the stream was trimmed meanwhile. */
    async commits(count: number, rows: number, commitMs: number): Promise<number> {
      const before = trims;
      for (let commit = 0; commit < count; commit++) {
        nowMs += commitMs;
        own.finish(rows, `${commit}`);
        await own.settled();
      }
      return trims - before;
    },
  };
}

test('after a thousand entries, and it is told how many have left', async () => {
  const own = lane();
  expect(await own.commits(10, 500, 10)).toBe(5);
  expect(own.told).toEqual([100, 101, 102, 103, 104]);
});

test.each([
  [5_000, 1],
  [1_000, 5],
])(
  'after a tenth of a mark of %i, so that the gate does not open and close with each',
  async (mark, trims) => {
    const small = lane(mark);
    expect(await small.commits(5, 100, 10)).toBe(trims);
  },
);

test('after a quarter of a second where rows are so dear that a thousand take longer', async () => {
  expect(await lane().commits(100, 2, 20)).toBe(7);
});
