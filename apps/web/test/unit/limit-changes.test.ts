import type { Limits } from '@spillway/shared/api/backfill';
import { describe, expect, it } from 'vitest';
import { overtaken } from '../../src/features/backfill/model/limit-changes.ts';

const limits = (eventsPerSecond: number, concurrency = 2): Limits => ({
  eventsPerSecond,
  share: null,
  concurrency,
  budget: null,
});
const entry = (actor: string, second: number, before: Limits | null, after: Limits) => ({
  actor,
  at: new Date(second * 1_000).toISOString(),
  before,
  after,
});

describe('an edit of limits that others have overtaken', () => {
  it('names who did, and says all that is another now', () => {
    const throttles = [
      entry('ben', 30, limits(200), limits(100, 4)),
      entry('ben', 20, limits(300), limits(200)),
      entry('ana', 10, limits(900), limits(300)),
    ];
    expect(overtaken(throttles, limits(300), limits(100, 4))).toEqual({
      by: throttles[0],
      changes: ['rate: 300 events/s → 100 events/s', 'concurrency: 2 → 4'],
    });
  });

  it('says of each of several who changed what, in their order', () => {
    const throttles = [
      entry('ana', 30, limits(200), limits(100)),
      entry('ben', 20, limits(300), limits(200)),
    ];
    expect(overtaken(throttles, limits(300), limits(100))).toEqual({
      by: 'several',
      changes: [
        'ben at 00:00:20 UTC: rate: 300 events/s → 200 events/s',
        'ana at 00:00:30 UTC: rate: 200 events/s → 100 events/s',
      ],
    });
  });

  it('counts from the last time that the limits were those which the edit began with', () => {
    const throttles = [
      entry('cem', 50, limits(300), limits(50)),
      entry('ben', 40, limits(70), limits(300)),
      entry('ana', 30, limits(300), limits(70)),
    ];
    expect(overtaken(throttles, limits(300), limits(50)).by).toMatchObject({ actor: 'cem' });
  });

  it.each([
    ['the audit cannot be read', null],
    ['none of its entries began there', [entry('ben', 20, limits(1), limits(2))]],
    ['an entry does not say where it began', [entry('ben', 20, null, limits(200))]],
  ])('names nobody where %s', (_why, throttles) => {
    expect(overtaken(throttles, limits(300), limits(200))).toEqual({
      by: undefined,
      changes: ['rate: 300 events/s → 200 events/s'],
    });
  });
});
