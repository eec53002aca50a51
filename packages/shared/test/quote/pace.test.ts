import { describe, expect, test } from 'vitest';
import { modelOfCapacity } from '../../src/quote/model-of.ts';
import { paceAt } from '../../src/quote/pace.ts';
import { forecastFixedRate } from '../../src/simulation/fixed-rate.ts';
import { capacityOf } from '../../src/simulation/model.ts';
import { aModel } from './a-quote.ts';

const cases = (['separate', 'shared'] as const).flatMap((route) =>
  [0, 1_000, 5_000].flatMap((liveEventsPerSecond) =>
    [1, 10].flatMap((replayAmplification) =>
      [500, 2_000, 10_000, 25_000, 60_000].map((rate) => ({
        route,
        liveEventsPerSecond,
        replayAmplification,
        rate,
      })),
    ),
  ),
);

describe('the closed form is the simulation, without its steps', () => {
  test.each(cases)(
    '$route, live $liveEventsPerSecond, × $replayAmplification, $rate/s',
    ({ route, rate, ...rest }) => {
      const model = { ...aModel, route, highWaterMark: 100_000 };
      const events = 2_000_000;
      const closed = paceAt({ model, events, ...rest }, rate);
      const simulated = forecastFixedRate({ model, events, eventsPerSecond: rate, ...rest });
      const seconds = (simulated.durationMs ?? Number.POSITIVE_INFINITY) / 1000;
      expect(closed.durationSeconds / seconds).toBeGreaterThan(0.88);
      expect(closed.durationSeconds / seconds).toBeLessThan(1.12);
      // Of a run that ends within its minute the simulation says so only when the gate has closed, not while it lets a trickle through.
      const part = route === 'shared' ? rate / (rate + rest.liveEventsPerSecond) : 1;
      const filled = simulated.peakStreamLength >= model.highWaterMark * part * 0.99;
      expect(closed.reachesHighWaterMark).toBe(simulated.reachesHighWaterMark || filled);
      // What goes on beyond the minute the simulation ends at the whole mark; live's entries on a shared stream are replay's no more there.
      const peak = Math.min(simulated.peakStreamLength, model.highWaterMark * part);
      // Below the mark's twentieth it is what a commit or two hold.
      const off = Math.abs(closed.peakStreamLength - peak);
      expect(off).toBeLessThan(Math.max(model.highWaterMark / 20, peak * 0.25));
      // Worst, so never better than the simulation; where live stands behind the mark, about as bad. Where it falls behind it says by how much in its minute.
      const [worst, seen] = [closed.liveFreshnessMs ?? 0, simulated.liveFreshnessMs];
      if (rest.liveEventsPerSecond === 0 || seen === null) return;
      expect(worst / seen).toBeGreaterThan(0.7);
      expect(worst).toBeLessThan(Math.max(100, seen * 1.35));
    },
  );
});

test('a stream that does not fill rises by what is not taken, for as long as there is history', () => {
  const pace = paceAt(
    { model: { ...aModel, highWaterMark: 1e7 }, events: 1e6, liveEventsPerSecond: 0, replayAmplification: 1 },
    50_000,
  );
  // 40,000/s of 50,000/s are taken, for twenty seconds.
  expect(pace.peakStreamLength / 200_000).toBeCloseTo(1, 1);
  expect(pace.reachesHighWaterMark).toBe(false);
});

test('a model of a capacity has that capacity', () => {
  for (const capacity of [2_000, 10_000, 40_000, 100_000])
    expect(capacityOf(modelOfCapacity(capacity, aModel)) / capacity).toBeCloseTo(1, 2);
});

test('live alone is too much: it never ends, and nobody says how stale live gets', () => {
  const pace = paceAt(
    { model: aModel, events: 1_000, liveEventsPerSecond: 1e6, replayAmplification: 1 },
    1_000,
  );
  expect(pace).toMatchObject({ durationSeconds: Number.POSITIVE_INFINITY, liveFreshnessMs: null });
});

test('nothing to replay takes no time', () => {
  expect(
    paceAt({ model: aModel, events: 0, liveEventsPerSecond: 0, replayAmplification: 1 }, 1_000)
      .durationSeconds,
  ).toBe(0);
});

test.each<[number, number, number[]]>([
  [20, 5_000, [0.1, 0.5, 0.8]],
  [20, 40_000, [0.1, 0.5, 0.8]],
  // Commits this short leave no room near the capacity, and there it decides whether the store keeps up.
  [3, 10_000, [0.1, 0.5]],
])(
  'what a commit costs beyond its rows is assumed, and moves hardly a figure: commits of %i ms, %i/s',
  (budgetMs, capacity, parts) => {
    const at = (commitOverheadMs: number, part: number) =>
      paceAt(
        {
          model: modelOfCapacity(capacity, {
            ...aModel,
            historyEventsPerSecond: Number.POSITIVE_INFINITY,
            commitOverheadMs,
            replayCommit: { budgetMs, rowsMin: 50, rowsMax: 1_000 },
          }),
          events: 1_000_000,
          liveEventsPerSecond: 100,
          replayAmplification: 1,
        },
        part * capacity,
      );
    for (const part of parts) {
      const [less, assumed, more] = [at(0.75, part), at(1.5, part), at(3, part)];
      for (const other of [less, more]) {
        expect(Math.abs(other.durationSeconds / assumed.durationSeconds - 1)).toBeLessThan(0.05);
        expect(other.peakStreamLength / assumed.peakStreamLength).toBeGreaterThan(0.8);
        expect(other.peakStreamLength / assumed.peakStreamLength).toBeLessThan(1.25);
      }
    }
  },
);
