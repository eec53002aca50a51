import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillPressureOf, pressureOf } from '../../src/telemetry/pressure.ts';
import { RateMeter } from '../../src/telemetry/rate-meter.ts';
import { rollUp } from '../../src/telemetry/roll-up.ts';

describe('a rate meter', () => {
  test('knows nothing before its second sample', () => {
    const meter = new RateMeter(1_000);
    expect(meter.eventsPerSecond(0)).toBe(null);
    meter.observe(50_000, 0);
    expect(meter.eventsPerSecond(250)).toBe(null);
    meter.observe(50_025, 250);
    expect(meter.eventsPerSecond(250)).toBe(100);
  });

  test('follows the last second, not the time before', () => {
    const meter = new RateMeter(1_000);
    for (let atMs = 0; atMs <= 10_000; atMs += 250) meter.observe(atMs, atMs);
    for (let atMs = 10_250; atMs <= 11_250; atMs += 250) meter.observe(10_000, atMs);
    expect(meter.eventsPerSecond(11_250)).toBe(0);
  });

  test('after a silence of three windows nothing is known', () => {
    const meter = new RateMeter(1_000);
    meter.observe(0, 0);
    meter.observe(100, 1_000);
    expect(meter.eventsPerSecond(4_000)).toBe(100);
    expect(meter.eventsPerSecond(4_001)).toBe(null);
  });

  test('two samples of one moment are no rate', () => {
    const meter = new RateMeter(1_000);
    meter.observe(0, 0);
    meter.observe(100, 0);
    expect(meter.eventsPerSecond(0)).toBe(null);
  });

  test('of a counter that restarts now and then is never negative, and never more than what really happened', () => {
    const steps = fc.array(
      fc.record({ gapMs: fc.integer({ min: 1, max: 2_000 }), events: fc.nat(1_000), restarts: fc.boolean() }),
      { minLength: 2, maxLength: 50 },
    );
    fc.assert(
      fc.property(steps, (taken) => {
        const meter = new RateMeter(1_000);
        let [atMs, count] = [0, 0];
        let fastest = 0;
        for (const { gapMs, events, restarts } of taken) {
          atMs += gapMs;
          count = restarts ? events : count + events;
          fastest = Math.max(fastest, (events * 1_000) / gapMs);
          meter.observe(count, atMs);
          const rate = meter.eventsPerSecond(atMs);
          if (rate !== null) expect(rate).toBeGreaterThanOrEqual(0);
          if (rate !== null) expect(rate).toBeLessThanOrEqual(fastest + 1e-6);
        }
      }),
    );
  });
});

describe('a roll-up', () => {
  test('keeps the worst latency and length, and the mean rate', () => {
    const rolled = rollUp([
      { liveFreshnessMsP99: 10, replayStreamLength: 5, liveEventsPerSecond: 100 },
      { liveFreshnessMsP99: 900, replayStreamLength: 50, liveEventsPerSecond: 200 },
      { liveFreshnessMsP99: null, replayStreamLength: 1, liveEventsPerSecond: null },
    ]);
    expect(rolled).toEqual({ liveFreshnessMsP99: 900, replayStreamLength: 50, liveEventsPerSecond: 150 });
  });

  test('of unknown seconds is unknown, of none is empty, and zero is not unknown', () => {
    expect(rollUp([{ a: null }, { a: null }])).toEqual({ a: null });
    expect(rollUp([])).toEqual({});
    expect(rollUp([{ a: 0 }, { a: null }])).toEqual({ a: 0 });
  });

  test('in two stages never shows less than the worst second, nor a mean outside what was seen', () => {
    const second = fc.record({
      storeCommitMsP99: fc.option(fc.nat(5_000)),
      replayEventsPerSecond: fc.option(fc.nat(100_000)),
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(second, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 6 }),
        (tens) => {
          const minute = rollUp(tens.map((ten) => rollUp(ten)));
          const all = tens.flat();
          const known = (name: 'storeCommitMsP99' | 'replayEventsPerSecond') =>
            all.map((values) => values[name]).filter((value) => value !== null);
          const commits = known('storeCommitMsP99');
          expect(minute.storeCommitMsP99).toBe(commits.length === 0 ? null : Math.max(...commits));
          const rates = known('replayEventsPerSecond');
          if (rates.length === 0) return void expect(minute.replayEventsPerSecond).toBe(null);
          expect(minute.replayEventsPerSecond).toBeGreaterThanOrEqual(Math.min(...rates) - 1e-6);
          expect(minute.replayEventsPerSecond).toBeLessThanOrEqual(Math.max(...rates) + 1e-6);
        },
      ),
    );
  });
});

test('pressure: blocked 0.10 is ok, 0.50 low, above it high; unknown stays unknown', () => {
  expect([null, 0, 0.1, 0.11, 0.5, 0.51].map(pressureOf)).toEqual([
    'unknown',
    'ok',
    'ok',
    'low',
    'low',
    'high',
  ]);
  expect([null, 0, 50, 51, 90, 91].map((length) => fillPressureOf(length, 100))).toEqual([
    'unknown',
    'ok',
    'ok',
    'low',
    'low',
    'high',
  ]);
});
