import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FixedRate, forecastFixedRate } from '../../src/simulation/fixed-rate.ts';
import { capacityOf, type PipelineModel } from '../../src/simulation/model.ts';

const model: PipelineModel = {
  storeRowsPerSecond: 60_000,
  commitOverheadMs: 1.5,
  replayCommit: { budgetMs: 20, rowsMin: 50, rowsMax: 1_000 },
  route: 'separate',
  highWaterMark: 20_000,
  oldestEntryMs: null,
  floorEventsPerSecond: 0,
  historyEventsPerSecond: 80_000,
  longestPauseMs: 40,
};
const capacity = capacityOf(model);
const run = (over: Partial<FixedRate>, ofModel: Partial<PipelineModel> = {}): FixedRate => ({
  model: { ...model, ...ofModel },
  eventsPerSecond: 10_000,
  events: 100_000,
  liveEventsPerSecond: 1_000,
  replayAmplification: 1,
  ...over,
});

describe('what a rate would do', () => {
  test('below the capacity: events ÷ rate, an almost empty stream, fresh live', () => {
    const forecast = forecastFixedRate(run({}));
    expect(forecast.durationMs).toBeGreaterThan(9_900);
    expect(forecast.durationMs).toBeLessThan(10_200);
    // Some hundreds wait; a thousand are applied before the stream is trimmed; four hundred come while the applier pauses.
    expect(forecast.peakStreamLength).toBeGreaterThanOrEqual(1_400);
    expect(forecast.peakStreamLength).toBeLessThan(2_000);
    expect(forecast.reachesHighWaterMark).toBe(false);
    expect(forecast.liveFreshnessMs).toBeLessThan(50);
  });

  test('above it: the store sets the pace, the stream fills to its mark, the reader stops', () => {
    const forecast = forecastFixedRate(run({ eventsPerSecond: 80_000, events: 10_000_000 }));
    expect(forecast.appliedEventsPerSecond).toBeGreaterThan(capacity * 0.9);
    expect(forecast.appliedEventsPerSecond).toBeLessThan(capacity);
    expect(forecast.durationMs).toBeCloseTo(10_000_000_000 / forecast.appliedEventsPerSecond, -4);
    expect(forecast.peakStreamLength).toBeGreaterThan(19_000);
    expect(forecast.peakStreamLength).toBeLessThanOrEqual(20_000);
    expect(forecast.reachesHighWaterMark).toBe(true);
    // The applier serves live first: it waits for one commit of replay, and for its own.
    expect(forecast.liveFreshnessMs).toBeLessThan(60);
  });

  test('what the first minute does not show is reckoned on: a stream that fills slowly, a replay of weeks', () => {
    const slow = forecastFixedRate(run({ eventsPerSecond: 1_000, events: 1_000 * 86_400 * 14 }));
    expect((slow.durationMs ?? 0) / 86_400_000).toBeCloseTo(14, 1);
    const filling = forecastFixedRate(
      run({ eventsPerSecond: 60_000, events: 20_000_000 }, { highWaterMark: 1_000_000 }),
    );
    expect(filling.peakStreamLength).toBe(1_000_000);
    expect(filling.reachesHighWaterMark).toBe(true);
  });

  test.each([
    [100, 25],
    [1_000, 250],
    [10_000, 1_000],
  ])(
    'at %d events/s, %d that are applied and not yet trimmed are on the stream as well, and what comes in a pause',
    (eventsPerSecond, untrimmed) => {
      const { peakStreamLength } = forecastFixedRate(run({ eventsPerSecond, events: 1e7 }));
      const waiting = eventsPerSecond * 0.05;
      const paused = eventsPerSecond * 0.04;
      expect(peakStreamLength).toBeGreaterThanOrEqual(untrimmed + paused);
      expect(peakStreamLength).toBeLessThan((untrimmed + paused + waiting) * 1.3);
    },
  );

  test('on a shared stream no commit is of both publishers: live costs a commit of its own', () => {
    const sustained = (route: 'separate' | 'shared', liveEventsPerSecond: number) =>
      forecastFixedRate(
        run({ eventsPerSecond: 80_000, events: 1e9, liveEventsPerSecond }, { route, commitOverheadMs: 4 }),
      ).appliedEventsPerSecond;
    // Forty times a second live's few rows stand between replay's: 4 ms each, and a commit of replay cut off.
    expect(sustained('shared', 40) / sustained('shared', 0)).toBeLessThan(0.86);
    expect(sustained('shared', 40) / sustained('shared', 0)).toBeGreaterThan(0.6);
  });

  test('the same rate on a shared stream leaves live behind what replay has published', () => {
    const fast = { eventsPerSecond: 80_000, events: 10_000_000 };
    const shared = forecastFixedRate(run(fast, { route: 'shared' }));
    // 20,000 entries ahead of it, at some 54,000 a second.
    expect(shared.liveFreshnessMs).toBeGreaterThan(300);
    const gated = forecastFixedRate(run(fast, { route: 'shared', oldestEntryMs: 25 }));
    expect(gated.liveFreshnessMs).toBeLessThan(150);
  });

  test('and the further behind, the longer the stream may grow, also beyond the first minute', () => {
    const worst = (highWaterMark: number) =>
      forecastFixedRate(
        run({ eventsPerSecond: 60_000, events: 50_000_000 }, { route: 'shared', highWaterMark }),
      ).liveFreshnessMs ?? Infinity;
    // A million entries, at some 54,000 a second.
    expect(worst(1_000_000)).toBeGreaterThan(15_000);
    expect(worst(1_000_000)).toBeLessThan(25_000);
    expect(worst(2_000_000) / worst(1_000_000)).toBeCloseTo(2, 0);
  });

  test('amplification makes a safe rate an unsafe one', () => {
    const cheap = forecastFixedRate(run({}));
    const dear = forecastFixedRate(run({ replayAmplification: 100 }));
    expect(dear.durationMs ?? 0).toBeGreaterThan((cheap.durationMs ?? 0) * 10);
    expect(dear.reachesHighWaterMark).toBe(true);
    // Fifty rows at a hundred times the work: longer commits, staler live.
    expect(dear.liveFreshnessMs).toBeGreaterThan((cheap.liveFreshnessMs ?? 0) + 50);
  });

  test('how long the first commits took, before their size was found, says nothing about the weeks that follow', () => {
    const dear = { eventsPerSecond: 10_000, replayAmplification: 500 };
    const commits = { replayCommit: { budgetMs: 20, rowsMin: 2, rowsMax: 1_000 } };
    // A hundred rows at first, for 835 ms.
    const short = forecastFixedRate(run({ ...dear, events: 1_000 }, commits));
    expect(short.liveFreshnessMs).toBeGreaterThan(500);
    const long = forecastFixedRate(run({ ...dear, events: 1_000_000 }, commits));
    expect(long.liveFreshnessMs).toBeGreaterThan(15);
    expect(long.liveFreshnessMs).toBeLessThan(100);
  });

  test('live that alone is too much falls behind for ever', () => {
    expect(forecastFixedRate(run({ liveEventsPerSecond: 90_000, events: 1e9 })).liveFreshnessMs).toBeNull();
  });

  test('a rate of nothing never ends', () => {
    expect(forecastFixedRate(run({ eventsPerSecond: 0 }))).toMatchObject({
      durationMs: null,
      peakStreamLength: 0,
    });
  });

  test('more rate never takes longer, and never means a shorter stream', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 100, max: 90_000, noNaN: true }),
        fc.double({ min: 1.05, max: 4, noNaN: true }),
        fc.constantFrom(1, 10, 100),
        fc.constantFrom('separate' as const, 'shared' as const),
        (eventsPerSecond, factor, replayAmplification, route) => {
          const slower = forecastFixedRate(run({ eventsPerSecond, replayAmplification }, { route }));
          const faster = forecastFixedRate(
            run({ eventsPerSecond: eventsPerSecond * factor, replayAmplification }, { route }),
          );
          expect(faster.durationMs).toBeLessThanOrEqual((slower.durationMs ?? Infinity) * 1.02 + 100);
          expect(faster.peakStreamLength).toBeGreaterThanOrEqual(slower.peakStreamLength * 0.9 - 1_000);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });
});
