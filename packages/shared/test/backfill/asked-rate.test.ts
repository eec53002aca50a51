import { expect, test } from 'vitest';
import { askedRate, askedShare, proofRate } from '../../src/backfill/asked-rate.ts';

const pipeline = { replayShare: 0.5, capacityEventsPerSecond: 10_000 };
const unknown = { ...pipeline, capacityEventsPerSecond: null };

test.each([
  [{ eventsPerSecond: null, share: null }, pipeline, 5_000],
  [{ eventsPerSecond: 8_000, share: null }, pipeline, 8_000],
  [{ eventsPerSecond: null, share: 0.1 }, pipeline, 1_000],
  [{ eventsPerSecond: 800, share: 0.1 }, pipeline, 800],
  [{ eventsPerSecond: 8_000, share: 0.1 }, pipeline, 1_000],
  [{ eventsPerSecond: 0, share: null }, pipeline, 0],
  [{ eventsPerSecond: null, share: null }, unknown, null],
  [{ eventsPerSecond: 800, share: 0.1 }, unknown, 800],
])('%o of %o asks for %s events/s', (limits, of, rate) => {
  expect(askedRate(limits, of)).toBe(rate);
});

test('an explicit rate stands for itself, not for the share of the pipeline', () => {
  expect(askedShare({ eventsPerSecond: 1, share: null }, pipeline)).toBe(null);
  expect(askedShare({ eventsPerSecond: null, share: null }, pipeline)).toBe(0.5);
});

test('a proof goes at ten times the rate of the replay, and that of a trickle ends, too', () => {
  expect(proofRate(10_000)).toBe(100_000);
  expect(proofRate(10)).toBe(1_000);
  expect(proofRate(0)).toBe(1_000);
});
