import { describe, expect, test } from 'vitest';
import { refineCapacity } from '../../src/governor/capacity.ts';

const quiet = {
  calibratedEventsPerSecond: null,
  estimateEventsPerSecond: null,
  appliedEventsPerSecond: null,
  msSinceLastChange: 60_000,
};
const busy = { ...quiet, estimateEventsPerSecond: 40_000, appliedEventsPerSecond: 15_000 };
const known = { eventsPerSecond: 20_000, origin: 'calibrated' } as const;

describe('refining the capacity', () => {
  test('unknown becomes what the calibration found, and nothing else', () => {
    const unknown = { eventsPerSecond: null, origin: 'unknown' } as const;
    expect(refineCapacity(unknown, busy)).toBeNull();
    expect(refineCapacity(unknown, { ...busy, calibratedEventsPerSecond: 31_234.4 })).toEqual({
      eventsPerSecond: 31_234,
      origin: 'calibrated',
    });
  });

  test.each([
    ['rises by half the difference', 24_000, 22_000],
    ['rises by at most a quarter a step', 400_000, 25_000],
    ['falls by a tenth of the difference', 12_000, 19_200],
    ['falls by at most 5 % a step', 1, 19_000],
  ])('%s', (_name, estimateEventsPerSecond, expected) => {
    const refined = refineCapacity(known, { ...busy, estimateEventsPerSecond });
    expect(refined).toEqual({ eventsPerSecond: expected, origin: 'refined' });
  });

  test('a figure that was measured too low is corrected at any load; small batches lower nothing', () => {
    const hardlyUsed = { ...busy, appliedEventsPerSecond: 400 };
    expect(refineCapacity(known, hardlyUsed)?.eventsPerSecond).toBe(25_000);
    expect(refineCapacity(known, { ...hardlyUsed, estimateEventsPerSecond: 5_000 })).toBeNull();
  });

  test.each([
    ['it changed a moment ago', { ...busy, msSinceLastChange: 4_999 }],
    ['the difference is noise', { ...busy, estimateEventsPerSecond: 20_300 }],
    ['nothing is known', quiet],
    ['the estimate is no number', { ...busy, estimateEventsPerSecond: Number.NaN }],
  ])('stays when %s', (_name, seen) => {
    expect(refineCapacity(known, seen)).toBeNull();
  });

  test('what was set by hand stays', () => {
    expect(
      refineCapacity(
        { eventsPerSecond: 20_000, origin: 'set_by_hand' },
        { ...busy, calibratedEventsPerSecond: 1 },
      ),
    ).toBeNull();
  });
});
