import { describe, expect, test } from 'vitest';
import { refineCapacity, sizingCapacity } from '../../src/governor/capacity.ts';

const quiet = {
  calibratedEventsPerSecond: null,
  estimateEventsPerSecond: null,
  appliedEventsPerSecond: null,
  msSinceLastChange: 60_000,
};
const busy = { ...quiet, estimateEventsPerSecond: 40_000, appliedEventsPerSecond: 15_000 };
const known = { measuredEventsPerSecond: 20_000, setByHand: false };
const unknown = { measuredEventsPerSecond: null, setByHand: false };

describe('refining the capacity', () => {
  test('unknown becomes what the calibration found, and nothing else', () => {
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

  test('beside one that is set by hand, what is measured goes on being refined', () => {
    const beside = { ...known, setByHand: true };
    expect(refineCapacity(beside, busy)).toEqual(refineCapacity(known, busy));
  });

  test.each([
    ['at least half of it is in use', 20_000, 40_000],
    ['less is: small batches look slow', 19_999, null],
  ])(
    'set by hand before anything was measured: the first estimate counts when %s',
    (_name, applied, expected) => {
      const refined = refineCapacity(
        { ...unknown, setByHand: true },
        { ...busy, appliedEventsPerSecond: applied },
      );
      expect(refined?.eventsPerSecond ?? null).toBe(expected);
    },
  );
});

describe('what floor and first steps are parts of', () => {
  test.each<[string, number | null, number | null, number | null]>([
    ['nobody knows', null, null, null],
    ['nothing was measured: what is set is believed', 10_000_000, null, 10_000_000],
    ['set to more than was measured', 10_000_000, 20_000, 20_000],
    ['set to less: a cap downward', 5_000, 20_000, 5_000],
    ['measured', 20_000, 20_000, 20_000],
  ])('%s', (_name, capacity, measured, expected) => {
    expect(sizingCapacity(capacity, measured)).toBe(expected);
  });
});
