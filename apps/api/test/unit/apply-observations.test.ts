import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/data-plane/apply/histogram.ts';
import type { Batch } from '../../src/data-plane/apply/next-batch.ts';
import { Observations } from '../../src/data-plane/apply/observations.ts';
import { RecentHistogram } from '../../src/data-plane/apply/recent-histogram.ts';

describe('the histogram', () => {
  it('is within 2.5 % of the exact percentile', () => {
    const samples = fc.array(fc.double({ min: 0.1, max: 100_000, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(samples, fc.constantFrom(0.5, 0.9, 0.99, 1), (values, share) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const exact = values.sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] as number;
        const told = histogram.percentile(share) as number;
        expect(told).toBeGreaterThan(exact * 0.974);
        expect(told).toBeLessThan(exact * 1.026);
        expect(histogram.max).toBe(values.at(-1));
      }),
    );
  });

  it('knows nothing without samples, and takes any', () => {
    const histogram = new Histogram();
    expect(histogram.percentile(0.5)).toBeNull();
    expect(histogram.max).toBeNull();
    for (const value of [0, 1e12]) histogram.record(value);
    expect(histogram.percentile(0.5)).toBe(0.05);
    expect(histogram.samples).toBe(2);
    histogram.reset();
    expect(histogram.percentile(0.5)).toBeNull();
  });
});

describe('observations', () => {
  const clock = { wall: 1_000_000, mono: 0, now: () => clock.wall, monotonic: () => clock.mono };
  const batch = (lane: 'live' | 'replay', publishedAt: number[], position: string): Batch => ({
    lane,
    entries: publishedAt.length + 1,
    publisher: lane === 'live' ? { kind: 'live' } : { kind: 'backfill', backfillId: 'b' },
    events: publishedAt.map((at, index) => ({ id: `${index}`, sourceId: 's', key: 'k', at, value: 0 })),
    publishedAt,
    position,
  });

  it('divide the time among the phases, also the one that lasts', () => {
    const observations = new Observations(clock);
    clock.mono += 100; // idle
    observations.entered('live', 'preparing');
    clock.mono += 50;
    observations.entered('live', 'store');
    clock.mono += 150;
    observations.entered('live', 'pressed');
    clock.mono += 50;
    observations.entered('live', 'blocked');
    clock.mono += 50;
    expect(observations.drain()).toMatchObject({
      intervalMs: 400,
      idleRatio: 0.25,
      busyRatio: 0.5,
      storeBusyRatio: 0.5,
      blockedRatio: 0.25,
    });
    clock.mono += 10;
    expect(observations.drain()).toMatchObject({
      intervalMs: 10,
      blockedRatio: 1,
      busyRatio: 0,
      idleRatio: 0,
    });
  });

  it('count an answer that is overdue as held up by the store, though nothing more waited when it was asked', () => {
    const observations = new Observations(clock);
    observations.entered('live', 'store');
    clock.mono += 250;
    expect(observations.drain()).toMatchObject({ busyRatio: 1, storeBusyRatio: 1, blockedRatio: 0 });
    clock.mono += 250;
    expect(observations.drain()).toMatchObject({ busyRatio: 0, storeBusyRatio: 1, blockedRatio: 1 });
    // A tick that holds both, then an answer.
    observations.entered('live', 'preparing');
    observations.drain();
    observations.entered('live', 'store');
    clock.mono += 1_000;
    observations.entered('live', 'preparing');
    expect(observations.drain()).toMatchObject({ busyRatio: 0.25, storeBusyRatio: 1, blockedRatio: 0.75 });
  });

  it('tell no freshness while a publisher’s clock is ahead by more than clocks may differ, and for a while after', () => {
    const observations = new Observations(clock);
    const committed = (ages: readonly number[]) =>
      observations.committed({
        stream: 'live',
        batch: batch(
          'live',
          ages.map((ageMs) => clock.wall - ageMs),
          '0009',
        ),
        outcome: { inserted: ages.length, duplicates: 0, quarantined: [] },
        commitMs: 1,
        latencyMs: 1,
        counters: null,
      });
    committed([20, -50]);
    expect(observations.drain()).toMatchObject({ clockAheadMs: null, freshness: { samples: 2 } });
    expect(observations.recentFreshnessMsP99()).not.toBeNull();

    committed([20, -320, -200]);
    const ahead = observations.drain();
    expect(ahead).toMatchObject({ clockAheadMs: 320, freshnessMsP50: null, freshnessMsP99: null });
    // Those that came from the future are no samples.
    expect(ahead.freshness.samples).toBe(3);
    expect(observations.recentFreshnessMsP99()).toBeNull();

    clock.mono += 9_999;
    committed([20]);
    expect(observations.drain()).toMatchObject({ clockAheadMs: 320, freshnessMsP99: null });
    clock.mono += 1;
    committed([20]);
    expect(observations.drain().clockAheadMs).toBeNull();
    expect(observations.recentFreshnessMsP99()).toBeCloseTo(20, 0);
  });

  it('count absolutely, and tell percentiles of the interval', () => {
    const observations = new Observations(clock);
    observations.positioned('live', '0005');
    observations.entered('live', 'store');
    clock.mono += 100;
    const counters = { backfillId: 'b', applied: 7, duplicate: 1, quarantined: 1 };
    observations.committed({
      stream: 'live',
      batch: batch('live', [clock.wall - 40, clock.wall - 10, clock.wall + 5], '0009'),
      outcome: { inserted: 3, duplicates: 0, quarantined: [] },
      commitMs: 8,
      latencyMs: 9,
      counters: null,
    });
    observations.committed({
      stream: 'replay',
      batch: batch('replay', [1, 2, 3], '0100'),
      outcome: {
        inserted: 1,
        duplicates: 1,
        quarantined: [{ sourceId: 's', address: 'x', code: 'payload_mismatch', detail: '' }],
      },
      commitMs: 20,
      latencyMs: 30,
      counters,
    });
    const first = observations.drain();
    expect(first.streams).toEqual([
      { stream: 'live', position: '0009', entries: 4, eventsApplied: 3, duplicates: 0, quarantined: 0 },
      { stream: 'replay', position: '0100', entries: 4, eventsApplied: 1, duplicates: 1, quarantined: 1 },
    ]);
    expect(first).toMatchObject({
      counters: [counters],
      commits: 2,
      batchRowsMean: 3,
      capacityEventsPerSecond: 60,
      liveEventsApplied: 3,
      replayEventsApplied: 2,
      rows: { attempted: 6, inserted: 4, noop: 1 },
    });
    expect(first.freshnessMsP50).toBeCloseTo(10, 0);
    expect(first.freshness.samples).toBe(3);
    expect(first.applyLatencyMsP99).toBeCloseTo(30, 0);
    clock.mono += 2_000;
    const second = observations.drain();
    expect(second.streams).toEqual(first.streams);
    expect(second).toMatchObject({
      counters: [counters],
      commits: 0,
      commitMsP50: null,
      freshnessMsP99: null,
      applyLatencyMsP99: null,
      freshness: first.freshness,
      batchRowsMean: null,
      capacityEventsPerSecond: null,
    });
  });

  it('remember no more than 64 backfills, and the last failure once', () => {
    const observations = new Observations(clock);
    for (let number = 0; number < 100; number++) {
      observations.committed({
        stream: 'replay',
        batch: batch('replay', [1], '1'),
        outcome: { inserted: 1, duplicates: 0, quarantined: [] },
        commitMs: 1,
        latencyMs: 1,
        counters: { backfillId: `b${number}`, applied: 1, duplicate: 0, quarantined: 0 },
      });
    }
    observations.failed(new Error('gone'));
    const drained = observations.drain();
    expect(drained.counters).toHaveLength(64);
    expect(drained.counters.at(-1)?.backfillId).toBe('b99');
    expect(drained.failure).toBe('gone');
    expect(observations.drain().failure).toBeNull();
  });

  it('tell percentiles of the last two seconds, however often they are drained', () => {
    const observations = new Observations(clock);
    const live = (freshnessMs: number) =>
      observations.committed({
        stream: 'live',
        batch: batch('live', [clock.wall - freshnessMs], '1'),
        outcome: { inserted: 1, duplicates: 0, quarantined: [] },
        ...{ commitMs: 1, latencyMs: 1, counters: null },
      });
    live(800);
    for (let quarter = 0; quarter < 7; quarter++) {
      clock.mono += 250;
      live(10);
      expect(observations.drain().freshnessMsP99, `${quarter}`).toBeGreaterThan(700);
    }
    clock.mono += 250;
    expect(observations.drain().freshnessMsP99).toBeCloseTo(10, 0);
    expect(observations.drain().freshness.samples).toBe(8);
  });

  it('hold one bad commit in ten seconds against nobody, and more than one event in a hundred at once', () => {
    const recent = new RecentHistogram(clock);
    const second = (badOnes: number) => {
      for (let event = 0; event < 100; event++) recent.record(event < badOnes ? 900 : 10);
      clock.mono += 1_000;
    };
    for (let seconds = 0; seconds < 9; seconds++) second(0);
    second(5);
    expect(recent.percentile(0.99)).toBeCloseTo(10, 0);
    second(20);
    expect(recent.percentile(0.99)).toBeGreaterThan(800);
    second(0);
    expect(recent.percentile(0.99)).toBeCloseTo(10, 0);
  });

  it('know since when the store has owed an answer, through tries that failed', () => {
    const observations = new Observations(clock);
    observations.entered('live', 'preparing');
    expect(observations.drain().storeSilentMs).toBe(0);
    observations.entered('live', 'pressed');
    clock.mono += 300;
    observations.entered('live', 'blocked');
    clock.mono += 100;
    observations.entered('live', 'store');
    clock.mono += 50;
    expect(observations.drain().storeSilentMs).toBe(450);
    observations.entered('live', 'preparing');
    expect(observations.drain().storeSilentMs).toBe(0);
  });
});
