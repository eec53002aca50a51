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

  test('moves slowly, at most 5 % a step', () => {
    expect(refineCapacity(known, busy)).toEqual({ eventsPerSecond: 21_000, origin: 'refined' });
    expect(refineCapacity(known, { ...busy, estimateEventsPerSecond: 1 })).toEqual({
      eventsPerSecond: 19_000,
      origin: 'refined',
    });
    expect(refineCapacity(known, { ...busy, estimateEventsPerSecond: 24_000 })).toEqual({
      eventsPerSecond: 20_400,
      origin: 'refined',
    });
  });

  test.each([
    ['less than half of it is in use', { ...busy, appliedEventsPerSecond: 9_000 }],
    ['it changed a moment ago', { ...busy, msSinceLastChange: 4_999 }],
    ['the difference is noise', { ...busy, estimateEventsPerSecond: 21_000 }],
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
