import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addEstimated, sampledPositions } from '../../src/adapters/source-parquet/estimate-counts.ts';

const MINUTE_MS = 60_000;
const sum = (counts: Uint32Array | undefined) => counts?.reduce((total, one) => total + one, 0) ?? Number.NaN;

test.each([
  [1, [0]],
  [4, [0, 1, 2, 3]],
  [11, [0, 2, 4, 6, 8, 10]],
  [1_001, [0, 200, 400, 600, 800, 1_000]],
])('of %i row groups the first, the last, and some between are counted', (groups, positions) => {
  expect(sampledPositions(groups)).toEqual(positions);
});

test('every row of a group that was not counted is somebody’s, by the shares of the nearest one that was', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 3, maxLength: 30 }),
      fc.integer({ min: 1, max: 7 * MINUTE_MS }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rows, lengthMs, part) => {
        const groups = rows.map((count, index) => ({
          index,
          firstRow: 0,
          rows: count,
          from: index * lengthMs,
          to: (index + 1) * lengthMs,
        }));
        const steps = Math.ceil((rows.length * lengthMs) / MINUTE_MS);
        const east = Math.floor((rows[0] as number) * part);
        // Only the first is counted: so many of its rows are east's, a tenth of the rest nobody's.
        const west = Math.floor(((rows[0] as number) - east) * 0.9);
        const counts = [new Uint32Array(steps), new Uint32Array(steps)];
        const sample = new Map([[0, { firstStep: 0, steps: 1, counts: Uint32Array.of(east, west) }]]);
        addEstimated(counts, { firstStep: 0, stepMs: MINUTE_MS }, groups, sample);
        const left = rows.slice(1).reduce((total, one) => total + one, 0);
        const share = (events: number) => (rows[0] === 0 ? 0 : events / (rows[0] as number));
        expect(Math.abs(sum(counts[0]) - share(east) * left)).toBeLessThanOrEqual(rows.length);
        expect(Math.abs(sum(counts[1]) - share(west) * left)).toBeLessThanOrEqual(rows.length);
      },
    ),
  );
});
