import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { learn } from '../../src/cost/coefficients.ts';
import { likelyPause, longestPauseOf, wentAtItsRate } from '../../src/cost/longest-pause.ts';
import { modelOfCapacity } from '../../src/quote/model-of.ts';
import { paceAt } from '../../src/quote/pace.ts';
import { aModel } from '../quote/a-quote.ts';

const aRun = (longestPauseMs: number | null) => ({
  events: 100_000,
  usage: {},
  seconds: 100,
  modelled: { seconds: 100, streamByteMs: 1 },
  longestPauseMs,
});

describe("the applier's longest pause in a run", () => {
  test.each([
    ['what came in 30 ms was there at once', { seen: 1_900, modelled: 1_600, eventsPerSecond: 10_000 }, 30],
    ['a run without one', { seen: 1_200, modelled: 1_600, eventsPerSecond: 10_000 }, 0],
    [
      'a store that stood still for five seconds',
      { seen: 51_600, modelled: 1_600, eventsPerSecond: 10_000 },
      null,
    ],
  ])('%s', (_, peak, ms) => expect(longestPauseOf(peak)).toBe(ms));

  // A hundred seconds by the model.
  test.each([
    ['went at its rate, after a slow start', { byItsRate: 98, otherwise: 3 }, true],
    ['was held to 90 % of it by the governor for all of it', { byItsRate: 0, otherwise: 111 }, false],
    ['was held below it for a fifth of it', { byItsRate: 85, otherwise: 20 }, false],
    ['had a source that gave 80 % of it', { byItsRate: 125, otherwise: 0 }, false],
    ['nobody watched for half of it', { byItsRate: 50, otherwise: 0 }, false],
  ])('a run that %s: %o tells: %s', (_, seconds, tells) => {
    expect(wentAtItsRate({ ...seconds, modelled: 100 })).toBe(tells);
  });

  test('one that by its model never ends tells nothing', () => {
    expect(wentAtItsRate({ byItsRate: 50, otherwise: 0, modelled: Infinity })).toBe(false);
  });

  test('a run held below its rate teaches nothing, whatever the rate', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 30, max: 1e5, noNaN: true }),
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        (modelled, part) =>
          !wentAtItsRate({ byItsRate: modelled / part, otherwise: 0, modelled }) &&
          !wentAtItsRate({ byItsRate: 0, otherwise: modelled / part, modelled }),
      ),
    );
  });

  test('before the first run it is assumed; each run moves it, and outages and unknown ones do not', () => {
    expect(learn([]).longestPauseMs).toBe(30);
    expect(learn([aRun(10)]).longestPauseMs).toBe(20);
    expect(learn([aRun(10), aRun(null), aRun(null)]).longestPauseMs).toBe(20);
    expect(learn(Array.from({ length: 19 }, () => aRun(0))).longestPauseMs).toBe(0);
    expect(learn(Array.from({ length: 19 }, () => aRun(90))).longestPauseMs).toBe(90);
  });

  test('one run that the machine held up says nothing of the next', () => {
    expect(learn([aRun(130)]).longestPauseMs).toBe(40);
    expect(learn([aRun(18), aRun(133), aRun(22)]).longestPauseMs).toBe(22);
  });

  test('a quote of a pipeline that always pauses as long comes to that peak', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 249 }),
        fc.integer({ min: 500, max: 30_000 }),
        (ms, eventsPerSecond) => {
          const peakWith = (longestPauseMs: number) =>
            paceAt(
              {
                model: modelOfCapacity(40_000, { ...aModel, longestPauseMs }),
                ...{ events: 1e6, liveEventsPerSecond: 0, replayAmplification: 1 },
              },
              eventsPerSecond,
            ).peakStreamLength;
          const seen = longestPauseOf({
            seen: peakWith(ms),
            modelled: peakWith(0),
            eventsPerSecond,
          }) as number;
          const quoted = peakWith(likelyPause(Array.from({ length: 20 }, () => seen)));
          expect(quoted / peakWith(ms)).toBeGreaterThan(0.75);
          expect(quoted / peakWith(ms)).toBeLessThan(1.25);
        },
      ),
    );
  });
});
