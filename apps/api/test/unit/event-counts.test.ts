import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventBounds, eventCounts, eventsIn } from '../../src/control-plane/sources/event-counts.ts';

const stepMs = 10;

/** Events, in steps, of a history whose lap reaches up to a span past its end. */
const history = fc.record({
  from: fc.integer({ min: -5, max: 5 }).map((steps) => steps * stepMs),
  counts: fc.array(fc.nat(9), { minLength: 1, maxLength: 12 }),
  spanSteps: fc.integer({ min: 1, max: 12 }),
  laps: fc.option(fc.integer({ min: 1, max: 6 })),
});

/** Each event where it lies: at the begin of its step. */
function places({
  from,
  counts,
  spanSteps,
  laps,
}: typeof history extends fc.Arbitrary<infer T> ? T : never): number[] {
  return Array.from({ length: laps ?? 1 }, (_, lap) =>
    counts.flatMap((count, step) =>
      Array.from({ length: count }, () => from + step * stepMs + lap * spanSteps * stepMs),
    ),
  ).flat();
}

test('events of a range that lies on steps are counted exactly, laps that overhang included', () => {
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: -20, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
      (made, fromStep, steps) => {
        const counts = eventCounts({
          from: made.from,
          stepMs,
          counts: Uint32Array.from(made.counts),
          laps: made.laps === null ? null : { spanMs: made.spanSteps * stepMs, laps: made.laps },
        });
        const range = { from: fromStep * stepMs, to: (fromStep + steps) * stepMs };
        const counted = places(made).filter((at) => at >= range.from && at < range.to).length;
        expect(eventsIn(counts, range)).toBe(counted);
      },
    ),
    { numRuns: 3_000 },
  );
});

test('a cut step counts by its share, to a whole event', () => {
  const counts = eventCounts({ from: 0, stepMs: 60_000, counts: Uint32Array.of(100, 0, 7), laps: null });
  expect(eventsIn(counts, { from: 0, to: 30_000 })).toBe(50);
  expect(eventsIn(counts, { from: 15_000, to: 45_000 })).toBe(50);
  expect(eventsIn(counts, { from: 120_000, to: 150_000 })).toBe(4);
  expect(eventsIn(counts, { from: 60_000, to: 60_000 })).toBe(0);
  expect(eventsIn(counts, { from: 500_000, to: 100 })).toBe(0);
});

test('bounds hold wherever in their steps the events lie, and meet on steps', () => {
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: -200, max: 1_000 }),
      fc.integer({ min: 0, max: 1_000 }),
      fc.integer({ min: 0, max: stepMs - 1 }),
      (made, from, forMs, inStepMs) => {
        const counts = eventCounts({
          from: made.from,
          stepMs,
          counts: Uint32Array.from(made.counts),
          laps: made.laps === null ? null : { spanMs: made.spanSteps * stepMs, laps: made.laps },
        });
        const range = { from, to: from + forMs };
        const { low, high } = eventBounds(counts, range);
        const real = places(made).filter((at) => at + inStepMs >= range.from && at + inStepMs < range.to);
        expect(low).toBeLessThanOrEqual(real.length);
        expect(high).toBeGreaterThanOrEqual(real.length);
        expect(low).toBeLessThanOrEqual(eventsIn(counts, range));
        expect(high).toBeGreaterThanOrEqual(eventsIn(counts, range));
        if (from % stepMs === 0 && forMs % stepMs === 0) expect(low).toBe(high);
      },
    ),
    { numRuns: 3_000 },
  );
});
