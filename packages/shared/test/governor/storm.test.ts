import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calm, type StormInputs, type StormMemory, watchStorm } from '../../src/governor/storm.ts';

const PASS_MS = 250;

/** One pass every 250 ms, each with its lag, until the last. */
function watched(
  lags: readonly (number | null)[],
  over: Partial<StormInputs> = {},
  before: StormMemory = calm,
): StormMemory[] {
  const seen: StormMemory[] = [];
  let memory = before;
  for (const [index, liveLagMs] of lags.entries()) {
    memory = watchStorm(
      { nowMs: index * PASS_MS, liveLagMs, replayEventsPerSecond: 1_000, freshnessTargetMs: 100, ...over },
      memory,
    );
    seen.push(memory);
  }
  return seen;
}
const storms = (memories: readonly StormMemory[]) => memories.some(({ storming }) => storming);
const rising = (from: number, by: number, passes = 16) =>
  Array.from({ length: passes }, (_, index) => from + by * index);

describe('the storm', () => {
  test.each<[string, boolean, (number | null)[], Partial<StormInputs>]>([
    ['live falls behind for four seconds while replay runs', true, rising(600, 100), {}],
    ['it does without replay', false, rising(600, 100), { replayEventsPerSecond: 0 }],
    ['nobody knows whether replay runs', false, rising(600, 100), { replayEventsPerSecond: null }],
    ['for less than three seconds', false, rising(600, 100, 12), {}],
    ['behind, but not further', false, [...rising(5_000, -20)], {}],
    ['always as far behind', false, rising(5_000, 0, 40), {}],
    ['as far as is ordinary', false, rising(100, 20), {}],
    ['as far as its target allows', false, rising(600, 100), { freshnessTargetMs: 10_000 }],
    ['without a target half a second is ordinary', true, rising(501, 100), { freshnessTargetMs: null }],
    [
      'it falls by more than a tenth in between',
      false,
      rising(600, 100).map((lag, index) => (index % 8 === 7 ? lag * 0.5 : lag)),
      {},
    ],
    [
      'it trembles by less, and grows',
      true,
      rising(600, 100, 20).map((lag, index) => (index % 3 === 1 ? lag * 0.95 : lag)),
      {},
    ],
    [
      'a pass without a reading in between proves nothing either way',
      true,
      rising(600, 100, 18).map((lag, index) => (index % 5 === 4 ? null : lag)),
      {},
    ],
  ])('%s: %s', (_name, expected, lags, over) => {
    expect(storms(watched(lags, over))).toBe(expected);
  });

  test('is over when live has caught up and stayed so for two seconds', () => {
    const storm: StormMemory = { storming: true, growing: null, calmSinceMs: null };
    const memories = watched(
      [4_000, 2_000, 400, 10, 10, 10, 900, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
      {},
      storm,
    );
    const over = memories.findIndex(({ storming }) => !storming);
    // Caught up at the seventh pass after the relapse; two seconds are eight passes more.
    expect(over).toBe(7 + 8);
    expect(memories[over]).toEqual(calm);
  });

  test('goes on while nobody knows', () => {
    const storm: StormMemory = { storming: true, growing: null, calmSinceMs: 0 };
    expect(
      storms([
        watched(
          Array.from({ length: 40 }, () => null),
          {},
          storm,
        ).at(-1) ?? calm,
      ]),
    ).toBe(true);
  });

  test('a clock that leaps back starts the watch anew, and ends no storm early', () => {
    const growing = watched(rising(600, 100, 10)).at(-1) ?? calm;
    const leapt = watchStorm(
      { nowMs: -3_600_000, liveLagMs: 2_000, replayEventsPerSecond: 1_000, freshnessTargetMs: 100 },
      growing,
    );
    expect(leapt).toMatchObject({ storming: false, growing: { sinceMs: -3_600_000 } });
    const calming: StormMemory = { storming: true, growing: null, calmSinceMs: 0 };
    const back = { liveLagMs: 10, replayEventsPerSecond: 0, freshnessTargetMs: 100 };
    const first = watchStorm({ ...back, nowMs: -3_600_000 }, calming);
    expect(first.storming).toBe(true);
    expect(watchStorm({ ...back, nowMs: -3_598_000 }, first)).toEqual(calm);
  });

  test('lag that never passes what is tolerable is never a storm', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.double({ min: 0, max: 500, noNaN: true })), { maxLength: 80 }),
        (lags) => {
          expect(storms(watched(lags))).toBe(false);
        },
      ),
    );
  });
});
