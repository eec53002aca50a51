import { expect, test } from 'vitest';
import { type EstimatedRecord, estimatedEvents } from '../../src/control-plane/backfill/estimated-events.ts';
import { eventsDone, eventsHandled } from '../../src/control-plane/backfill/events-done.ts';

const counts = {
  eventsPublished: 900,
  eventsApplied: 500,
  eventsDuplicate: 200,
  eventsQuarantined: 50,
  eventsAgain: 300,
};

test.each([
  ['ours', false, 750, 450],
  ['not ours', true, 900, 600],
])('of a store that is %s', (_, external, handled, done) => {
  expect(eventsHandled(counts, external)).toBe(handled);
  expect(eventsDone(counts, external)).toBe(done);
  // More published than the store has told of yet.
  expect(eventsDone({ ...counts, eventsAgain: 1_000 }, external)).toBe(0);
});

test('half-way through a window whose events are estimated, as many are likely as were, whosever the store is', () => {
  const row = {
    ...counts,
    state: 'running',
    eventsExpected: null,
    estimate: { events: { low: 600, likely: 1_200, high: 2_400 } },
    subwindowsTotal: 10,
    subwindowsDone: 5,
  } as EstimatedRecord['row'];
  const likely = (external: boolean) =>
    estimatedEvents({ row, subwindowsHandedOut: 5, external })?.likely ?? 0;
  expect(likely(true)).toBeGreaterThan(1_150);
  expect(likely(true)).toBeLessThan(1_250);
  expect(likely(false)).toBeLessThan(likely(true));
});
