import { expect, test } from 'vitest';
import { paceAt } from '../../src/quote/pace.ts';
import { runSeconds, withScatter } from '../../src/quote/run-time.ts';
import { aModel } from './a-quote.ts';

/** aModel takes 40,000 events/s. */
const seconds = (events: number, rate: number) => {
  const pace = paceAt({ model: aModel, events, liveEventsPerSecond: 0, replayAmplification: 1 }, rate);
  return { all: runSeconds(aModel, pace, events), replay: pace.durationSeconds };
};

test('a long replay at a low rate takes as long as the rate says, and its proof a tenth of that', () => {
  const { all, replay } = seconds(10_000_000, 1_000);
  expect(all / replay).toBeCloseTo(1.1, 2);
});

test('where the store sets the pace of the proof, what comes before and after a replay does not depend on its rate', () => {
  const [slow, fast] = [seconds(200_000, 13_000), seconds(200_000, 20_000)];
  expect(slow.all - slow.replay).toBeCloseTo(fast.all - fast.replay, 9);
});

test('the proof of a trickle ends', () => {
  const { all, replay } = seconds(10_000, 1);
  expect(all - replay).toBeLessThan(12);
});

test('a short run is mostly beginning and end', () => {
  const { all, replay } = seconds(2_000, 20_000);
  expect(all).toBeGreaterThan(5 * replay);
});

test('nothing to replay takes no time, and what never ends has no end', () => {
  expect(seconds(0, 1_000).all).toBe(0);
  expect(seconds(1_000, 0).all).toBe(Number.POSITIVE_INFINITY);
});

test('the range of a short run is no narrower than its beginning and end scatter; of a long one that is nothing', () => {
  const short = withScatter({ low: 1.9, likely: 2, high: 2.1 });
  expect(short.high - short.likely).toBeGreaterThan(0.7);
  expect(short.likely - short.low).toBeGreaterThan(0.7);
  const long = withScatter({ low: 900, likely: 1_000, high: 1_100 });
  expect(long.high).toBeCloseTo(1_100, 2);
  expect(withScatter({ low: 0.1, likely: 0.2, high: 0.3 }).low).toBe(0);
});
