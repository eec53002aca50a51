import { describe, expect, test } from 'vitest';
import { driftOf, type QuoteBasis } from '../../src/quote/drift.ts';
import { estimatedEvents, eventsBeyond, sumEvents } from '../../src/quote/event-range.ts';
import { goalRefusals } from '../../src/quote/goal-refusals.ts';
import { overlapsOf } from '../../src/quote/overlaps.ts';
import {
  pauseAlert,
  type Retention,
  roomFor,
  type StreamNow,
  safePausedForMs,
  trimAdvice,
  trimEveryMs,
} from '../../src/quote/stream-plan.ts';

describe('drift', () => {
  const basis: QuoteBasis = {
    sources: { east: 'f1', west: null },
    request: '{}',
    priceBookVersion: 3,
    route: 'separate',
    highWaterMark: 20_000,
    replayShare: 0.5,
    headroom: 0.1,
    replayFloor: 0.05,
    capacityEventsPerSecond: 10_000,
    overlaps: ['bf_2', 'bf_1'],
  };

  test('nothing changed, nothing drifted; the order of overlaps is nothing, nor is a little capacity', () => {
    expect(driftOf(basis, { ...basis, overlaps: ['bf_1', 'bf_2'], capacityEventsPerSecond: 12_000 })).toEqual(
      [],
    );
  });

  test.each<[Partial<QuoteBasis>, string]>([
    [{ sources: { east: 'f2', west: null } }, '/sources/east'],
    [{ sources: { east: 'f1', west: 'f9' } }, '/sources/west'],
    [{ sources: { east: 'f1', west: null, south: 'f1' } }, '/sources/south'],
    [{ sources: { east: 'f1', west: null, south: null } }, '/sources/south'],
    [{ sources: { east: 'f1' } }, '/sources/west'],
    [{ request: '{"a":1}' }, '/request'],
    [{ priceBookVersion: 4 }, '/priceBookVersion'],
    [{ route: 'shared' }, '/route'],
    [{ highWaterMark: 10_000 }, '/highWaterMark'],
    [{ replayShare: 0.1 }, '/replayShare'],
    [{ headroom: 0.9 }, '/headroom'],
    [{ replayFloor: 0 }, '/replayFloor'],
    [{ capacityEventsPerSecond: 12_001 }, '/capacityEventsPerSecond'],
    [{ capacityEventsPerSecond: null }, '/capacityEventsPerSecond'],
    [{ overlaps: ['bf_1'] }, '/overlaps'],
  ])('case %#: %o', (change, pointer) => {
    expect(driftOf(basis, { ...basis, ...change }).map((drift) => drift.pointer)).toEqual([pointer]);
  });
});

describe('drift in words', () => {
  test('a share is told as it is, a rate without its fractions', () => {
    const basis = { replayShare: 0.5, capacityEventsPerSecond: 10_000.4 } as QuoteBasis;
    const now = { ...basis, replayShare: 0.1, capacityEventsPerSecond: 20_000.6 };
    const drifts = driftOf({ ...basis, sources: {}, overlaps: [] }, { ...now, sources: {}, overlaps: [] });
    expect(drifts.map(({ detail }) => detail)).toEqual([
      'Replay share: 0.5 when quoted, 0.1 now.',
      'Capacity, events/s: 10000 when quoted, 20001 now.',
    ]);
  });
});

describe('a source that has changed, in words', () => {
  const holding = (east: string | null) =>
    ({ capacityEventsPerSecond: null, overlaps: [], sources: { east } }) as unknown as QuoteBasis;
  const [old, other] = ['ec1ebfe56055f89b80d03101953306c5', '94e0065c1eadb2fcc91460978a825f80'];

  test.each([
    [old, other, 'Source east holds something else than when it was quoted.'],
    [old, null, 'Source east was counted when quoted, and cannot be now.'],
    [null, other, 'Source east had not been counted when quoted, and is now.'],
    [
      '5 events of the window',
      '6 events of the window',
      'Source east: 5 events of the window when quoted, 6 events of the window now.',
    ],
  ])('from %s to %s: %s', (before, after, words) =>
    expect(driftOf(holding(before), holding(after)).map(({ detail }) => detail)).toEqual([words]),
  );
});

describe('goals that make no sense', () => {
  const now = Date.UTC(2026, 0, 1);
  const usd = (amount: string) => ({ amount, currency: 'USD' });
  const later = '2026-01-01T06:00:00Z';

  test.each<[Parameters<typeof goalRefusals>[0], string[]]>([
    [{ finishBy: later }, []],
    [{ maxCost: usd('40') }, []],
    [{ limits: { eventsPerSecond: 5, budget: usd('0') } }, []],
    [{ finishBy: '2026-01-01T00:00:00Z' }, ['/finishBy']],
    [{ maxCost: usd('0.00') }, ['/maxCost/amount']],
    [{ maxCost: { amount: '1', currency: 'EUR' } }, ['/maxCost/currency']],
    [{ maxCost: { amount: '1', currency: 'ZZZ' } }, ['/maxCost/currency']],
    [{ limits: { budget: { amount: '1', currency: 'EUR' } } }, ['/limits/budget/currency']],
    [{ finishBy: later, maxCost: usd('1') }, ['/maxCost']],
    [{ finishBy: later, limits: { eventsPerSecond: 5 } }, ['/limits/eventsPerSecond']],
    [{ finishBy: later, limits: { share: 0.1, eventsPerSecond: null } }, ['/limits/share']],
  ])('case %#', (request, pointers) => {
    expect(goalRefusals(request, 'USD', now).map(({ pointer }) => pointer)).toEqual(pointers);
  });

  test('a currency that nobody has is said to be none', () => {
    const [refusal] = goalRefusals({ maxCost: { amount: '1', currency: 'ZZZ' } }, 'USD', now);
    expect(refusal?.detail).toContain('ZZZ is not a currency');
  });

  test('without a price book nothing has a price', () => {
    expect(goalRefusals({ maxCost: usd('1') }, null, now).map(({ pointer }) => pointer)).toEqual([
      '/maxCost',
    ]);
  });
});

test('overlaps: same source and same time, half-open', () => {
  const other = { backfillId: 'bf_1', sourceIds: ['east', 'west'], from: 10_000, to: 20_000 };
  const wanted = (sourceIds: string[], from: number, to: number) =>
    overlapsOf({ sourceIds, from, to }, [other]);
  expect(wanted(['east'], 15_000, 30_000)).toMatchObject([
    {
      backfillId: 'bf_1',
      sourceIds: ['east'],
      window: { from: '1970-01-01T00:00:15.000Z', to: '1970-01-01T00:00:20.000Z' },
    },
  ]);
  expect(wanted(['east'], 20_000, 30_000)).toEqual([]);
  expect(wanted(['south'], 15_000, 30_000)).toEqual([]);
});

test('events of a source that is known in total only', () => {
  const range = { from: 0, to: 1_000 };
  expect(estimatedEvents(500, range, range)).toEqual({ low: 500, likely: 500, high: 500 });
  expect(estimatedEvents(500, { from: 900, to: 2_000 }, range)).toEqual({ low: 25, likely: 50, high: 100 });
  expect(estimatedEvents(500, { from: 2_000, to: 3_000 }, range).high).toBe(0);
  expect(sumEvents([{ sourceId: 'a', basis: 'unknown', events: null }])).toBeNull();
});

test('events of a window that reaches past what is known of its source: wider still, and no less than what is known', () => {
  const known = { from: 0, to: 1_000 };
  expect(eventsBeyond(500, { from: 0, to: 1_000 }, known)).toEqual({ low: 500, likely: 500, high: 500 });
  expect(eventsBeyond(500, { from: 900, to: 1_000 }, known)).toEqual({ low: 25, likely: 50, high: 100 });
  expect(eventsBeyond(500, { from: 0, to: 3_000 }, known)).toEqual({ low: 750, likely: 1_500, high: 4_500 });
  expect(eventsBeyond(500, { from: 5_000, to: 6_000 }, known)).toEqual({
    low: 125,
    likely: 500,
    high: 2_000,
  });
});

describe('room on the stream', () => {
  const none: Retention = { ms: null, entries: null, bytes: null };
  const now: StreamNow = {
    unapplied: 1_000,
    oldestUnappliedMs: 60_000,
    growthEntriesPerSecond: 10,
    bytesPerEntry: 100,
  };

  test.each<[Partial<Retention>, Partial<StreamNow>, number | null]>([
    [{}, {}, null],
    [{ ms: 3_600_000 }, {}, 3_540_000],
    [{ ms: 3_600_000 }, { oldestUnappliedMs: null }, null],
    [{ ms: 30_000 }, {}, 0],
    [{ entries: 2_000 }, {}, 100_000],
    [{ entries: 2_000 }, { growthEntriesPerSecond: 0 }, null],
    [{ bytes: 150_000 }, {}, 50_000],
    [{ bytes: 150_000, entries: 2_000, ms: 70_000 }, {}, 10_000],
    // At its limit for long, and everything on it applied: live goes on as it comes.
    [{ entries: 2_000 }, { unapplied: 0, growthEntriesPerSecond: 0, oldestUnappliedMs: null }, null],
  ])('safe to stay paused for: case %#', (retention, stream, ms) => {
    expect(safePausedForMs({ ...none, ...retention }, { ...now, ...stream })).toBe(ms);
  });

  test.each([
    [null, null],
    [3_600_001, null],
    [3_600_000, 'warning'],
    [900_000, 'critical'],
  ])('an alert before it runs out: %s ms', (ms, severity) => {
    expect(pauseAlert(ms, none)?.severity ?? null).toBe(severity);
  });

  test('in words: in how long, or that it is happening', () => {
    expect(pauseAlert(754_321, none)?.detail).toContain('are lost in 12 min 34 s:');
    expect(pauseAlert(0, none)).toMatchObject({
      severity: 'critical',
      detail: expect.stringContaining('are being lost'),
    });
  });

  test('a short retention warns at a tenth of it', () => {
    expect(pauseAlert(700_000, { ...none, ms: 6_000_000 })).toBeNull();
    expect(pauseAlert(600_000, { ...none, ms: 6_000_000 })?.severity).toBe('warning');
  });

  test('the tightest limit says whether it fits', () => {
    expect(roomFor({ length: 10, bytes: 10, waitMs: 10 }, none)).toEqual({
      fits: true,
      part: null,
      detail: 'Retention does not limit the stream.',
    });
    expect(roomFor({ length: 10, bytes: 10, waitMs: 10 }, { ...none, isUncertain: true })).toMatchObject({
      part: null,
      detail: 'How long the stream keeps its entries nobody says, as was accepted.',
    });
    expect(
      roomFor({ length: 10, bytes: 90, waitMs: 10 }, { ms: 100, entries: 100, bytes: 100 }),
    ).toMatchObject({ fits: true, part: 0.9 });
    expect(roomFor({ length: 100, bytes: 90, waitMs: 10 }, { ms: 100, entries: 100, bytes: 100 }).fits).toBe(
      false,
    );
  });

  test('trimming keeps up with the replay', () => {
    expect(trimEveryMs(20_000, 1_000)).toBe(2_000);
    expect(trimEveryMs(20_000, 40_000)).toBe(50);
    expect(trimEveryMs(20_000, 0)).toBe(10_000);
  });

  test('trimming is advised for the replay: the peak is kept twice over, whatever the rate', () => {
    const peak = { length: 15_000, bytes: 1_500_000, waitMs: 750 };
    expect(trimAdvice(peak, 20_000, 20_000)).toEqual({
      everyMs: 100,
      keepEntries: 30_000,
      keepBytes: 3_000_000,
      keepMs: 1_500,
    });
  });
});
