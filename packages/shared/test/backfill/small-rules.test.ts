import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterFailure } from '../../src/backfill/attempts.ts';
import { binRuns } from '../../src/backfill/bins.ts';
import { mergeDone } from '../../src/backfill/merge-runs.ts';
import { etaSeconds, percentDone } from '../../src/backfill/progress.ts';

test('merged runs cover the same subwindows with the same sums', () => {
  const lengths = fc.array(
    fc.record({ length: fc.integer({ min: 1, max: 5 }), gap: fc.nat(1), published: fc.nat(9) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.nat()), (parts, order) => {
      let at = 0;
      const runs = parts.map(({ length, gap, published }, index) => {
        const fromIndex = at + gap;
        at = fromIndex + length;
        return { id: `${index}`, fromIndex, toIndex: at, read: published, published, quarantined: 0 };
      });
      const shuffled = runs
        .map((run) => [order.next().value, run] as const)
        .toSorted((a, b) => a[0] - b[0])
        .map(([, run]) => run);
      const merged = mergeDone(shuffled);
      const covered = (all: typeof runs) =>
        all
          .flatMap(({ fromIndex, toIndex }) =>
            Array.from({ length: toIndex - fromIndex }, (_, i) => fromIndex + i),
          )
          .toSorted((a, b) => a - b);
      expect(covered(merged)).toEqual(covered(runs));
      expect(merged.reduce((sum, run) => sum + run.published, 0)).toBe(
        runs.reduce((sum, run) => sum + run.published, 0),
      );
      expect(merged.length).toBe(parts.filter(({ gap }, index) => index === 0 || gap > 0).length);
    }),
  );
});

test('five failures, further and further apart', () => {
  expect([1, 2, 3, 4, 5].map((failures) => afterFailure(failures, true))).toEqual([
    { type: 'again', afterMs: 1_000 },
    { type: 'again', afterMs: 2_000 },
    { type: 'again', afterMs: 4_000 },
    { type: 'again', afterMs: 8_000 },
    { type: 'failed' },
  ]);
  expect(afterFailure(1, false)).toEqual({ type: 'failed' });
});

test('bins hold the part of their time that is done', () => {
  const runs = [
    { state: 'done', from: 0, to: 25 },
    { state: 'leased', from: 25, to: 30 },
    { state: 'failed', from: 90, to: 100 },
    { state: 'pending', from: 40, to: 50 },
  ] as const;
  expect(binRuns(runs, { from: 0, to: 100 }, 4)).toEqual({
    done: [1, 0, 0, 0],
    active: [0, 0.2, 0, 0],
    failed: [0, 0, 0, 0.4],
  });
});

describe('progress', () => {
  const numbers = {
    state: 'running',
    subwindowsTotal: 10,
    subwindowsDone: 2,
    eventsExpected: 1_000,
    eventsApplied: 300,
    eventsDuplicate: 100,
    appliedEventsPerSecond: 60,
    effectiveEventsPerSecond: 80,
  } as const;
  test('by events when they are known, else by subwindows, 100 only at the end', () => {
    expect(percentDone(numbers)).toBe(40);
    expect(percentDone({ ...numbers, eventsExpected: null })).toBe(20);
    expect(percentDone({ ...numbers, eventsApplied: 5_000 })).toBe(99.9);
    expect(percentDone({ ...numbers, subwindowsDone: 10 })).toBe(100);
  });
  test('an estimate only while something moves', () => {
    expect(etaSeconds(numbers)).toEqual({ low: 8, likely: 10, high: 20 });
    expect(etaSeconds({ ...numbers, appliedEventsPerSecond: 0 })).toBeNull();
    expect(etaSeconds({ ...numbers, effectiveEventsPerSecond: 0 })).toBeNull();
    expect(etaSeconds({ ...numbers, eventsExpected: null })).toBeNull();
    expect(etaSeconds({ ...numbers, state: 'paused' })).toBeNull();
  });
});
