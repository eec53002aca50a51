import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventsEstimated } from '../../src/backfill/events-estimated.ts';
import { estimatedRange } from '../../src/quote/event-range.ts';

const estimate = { low: 500, likely: 1_000, high: 2_000 };
const none = { low: 0, likely: 0, high: 0 };
const run = {
  estimate,
  eventsDone: 0,
  subwindowsTotal: 10,
  subwindowsDone: 0,
  subwindowsHandedOut: 0,
};

describe('events of a backfill whose sources are estimated', () => {
  test.each([
    ['before it begins it is the estimate', {}, [500, 1_000, 2_000]],
    [
      'what is under way is no evidence yet',
      { eventsDone: 100, subwindowsHandedOut: 2 },
      [500, 1_000, 2_100],
    ],
    ['all at once under way', { subwindowsHandedOut: 10 }, [500, 1_000, 2_000]],
    ['half way, as estimated', half(500), [750, 1_000, 1_500]],
    ['half way, and half as many again', half(750), [1_000, 1_477, 2_205]],
    ['half way, and a third of them', half(167), [266, 395, 1_167]],
    ['more than was estimated already', half(1_500), [1_750, 2_909, 4_318]],
    ['at the end it is what is done', { ...half(900), subwindowsDone: 10 }, [900, 900, 900]],
    ['nothing was estimated, and some is there', { ...half(50), estimate: none }, [50, 95, 95]],
  ])('%s', (_what, changes, [low, likely, high]) =>
    expect(eventsEstimated({ ...run, ...changes })).toEqual({ low, likely, high }),
  );

  test('the truth is in the range whenever one looks, as long as the estimate was not off by more than it says', () => {
    const histories = fc.record({
      perSubwindow: fc.array(fc.integer({ min: 80, max: 120 }), { minLength: 2, maxLength: 60 }),
      off: fc.double({ min: 0.6, max: 1.6, noNaN: true }),
      underWay: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(histories, ({ perSubwindow, off, underWay }) => {
        const total = sum(perSubwindow);
        const likely = Math.round(total / off);
        const widths = perSubwindow.map((_, done) => {
          const handedOut = Math.min(perSubwindow.length, done + underWay);
          // Half of what is under way has been applied.
          const eventsDone =
            sum(perSubwindow.slice(0, done)) + Math.floor(sum(perSubwindow.slice(done, handedOut)) / 2);
          const range = eventsEstimated({
            estimate: estimatedRange(likely, Number.POSITIVE_INFINITY),
            eventsDone,
            subwindowsTotal: perSubwindow.length,
            subwindowsDone: done,
            subwindowsHandedOut: handedOut,
          });
          expect(range.low).toBeGreaterThanOrEqual(eventsDone);
          expect(range.low).toBeLessThanOrEqual(range.likely);
          expect(range.likely).toBeLessThanOrEqual(range.high);
          expect(range.low).toBeLessThanOrEqual(total);
          expect(range.high).toBeGreaterThanOrEqual(total);
          return range.high - range.low;
        });
        // Of two subwindows the first may hold so much more than was estimated that half of it is as uncertain as all was.
        if (widths.length > 2) expect(widths.at(-1)).toBeLessThanOrEqual(widths[0] as number);
      }),
    );
  });
});

function half(eventsDone: number) {
  return { eventsDone, subwindowsDone: 5, subwindowsHandedOut: 5 };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
