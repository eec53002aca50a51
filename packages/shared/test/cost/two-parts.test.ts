import { describe, expect, test } from 'vitest';
import { type FinishedRun, factorsOf, learn, likelyUse } from '../../src/cost/coefficients.ts';
import { COVERAGE, CPU_SD, PRIOR_WEIGHT } from '../../src/cost/spread.ts';
import { twoParts } from '../../src/cost/two-parts.ts';
import { type Seeded, seeded } from '../simulation/seeded.ts';

/** 15 µs an event and 0.23 of a core for as long as it runs: as measured (docs/measurements.md). */
const PER_EVENT_MS = 0.015;
const PER_SECOND_MS = 230;
const useOf = (events: number, seconds: number) => PER_EVENT_MS * events + PER_SECOND_MS * seconds;

const aRun = (eventsPerSecond: number, events = 100_000, ratio = 1): FinishedRun => {
  const seconds = events / eventsPerSecond;
  return {
    events,
    seconds,
    usage: { cpuMs: BigInt(Math.round(useOf(events, seconds) * ratio)), walBytes: BigInt(events) },
    modelled: { seconds, streamByteMs: 0 },
    longestPauseMs: null,
  };
};
const timed = ({ events, seconds, usage }: FinishedRun) => ({ events, seconds, use: Number(usage.cpuMs) });
const cpuOf = (runs: readonly FinishedRun[]) => learn(runs).counters.cpuMs!;

/** Box and Muller. */
const normal = (random: Seeded) =>
  Math.sqrt(-2 * Math.log(1 - random.between(0, 1))) * Math.cos(2 * Math.PI * random.between(0, 1));
const chiSquare = (random: Seeded, degrees: number) =>
  Array.from({ length: degrees }, () => normal(random) ** 2).reduce((sum, one) => sum + one, 0);

describe('use that goes with events and with time', () => {
  test('is told apart by runs of different rates, whatever their length', () => {
    const parts = twoParts([aRun(3_000), aRun(5_000, 400_000), aRun(8_000, 20_000)].map(timed));
    expect(parts?.perEvent).toBeCloseTo(PER_EVENT_MS, 4);
    expect(parts?.perSecond).toBeCloseTo(PER_SECOND_MS, 0);
    for (const ratio of parts?.ratios ?? []) expect(ratio).toBeCloseTo(1, 3);
  });

  test('a rate that no run had is reckoned with both: the slower the run, the more an event costs', () => {
    const learned = cpuOf([aRun(3_000), aRun(5_000), aRun(8_000), aRun(8_000)]);
    for (const rate of [1_000, 6_000, 20_000])
      expect(likelyUse(learned, 1e6, 1e6 / rate) / useOf(1e6, 1e6 / rate)).toBeCloseTo(1, 2);
  });

  test.each<[string, readonly FinishedRun[]]>([
    ['runs of one rate, which scatter', [aRun(5_000), aRun(5_200), aRun(4_700, 300_000), aRun(5_100)]],
    ['two runs', [aRun(3_000), aRun(8_000)]],
    ['a use that falls with time', [aRun(3_000, 1e5, 0.2), aRun(5_000), aRun(8_000)]],
    ['no use at all', [3_000, 5_000, 8_000].map((rate) => aRun(rate, 1e5, 0))],
    ['no runs', []],
  ])('is use per event alone with %s', (_, runs) => {
    expect(twoParts(runs.map(timed))).toBeNull();
    const learned = cpuOf(runs);
    expect(learned.parts).toBeNull();
    expect(likelyUse(learned, 1_000, 1)).toBe(likelyUse(learned, 1_000, 1_000));
  });

  test('is learned of CPU only: rows and log do not go with time', () => {
    const { counters } = learn([aRun(3_000), aRun(5_000), aRun(8_000)]);
    expect(counters.cpuMs?.parts).not.toBeNull();
    expect(counters.walBytes?.parts).toBeNull();
  });

  test.each([3, 5, 10, 20])(
    'after %i runs the next one is inside as often as is said, also at a rate beyond theirs',
    (runs) => {
      const random = seeded(runs);
      const trials = 6_000;
      let inside = 0;
      let counted = 0;
      while (counted < trials) {
        const sd = Math.sqrt((PRIOR_WEIGHT * CPU_SD ** 2) / chiSquare(random, PRIOR_WEIGHT));
        const noise = () => Math.exp(sd * normal(random));
        const rates = Array.from({ length: runs }, () => 3_000 * 3 ** random.between(0, 1));
        const learned = cpuOf(rates.map((rate) => aRun(rate, 1e6, noise())));
        if (learned.parts === null) continue;
        counted += 1;
        const seconds = 1e6 / (1_000 * 20 ** random.between(0, 1));
        const fitted = learned.parts.perEvent * 1e6 + learned.parts.perSecond * seconds;
        const next = (useOf(1e6, seconds) * noise()) / fitted;
        const { low, high } = factorsOf(learned, 1e6, seconds);
        if (low <= next && next <= high) inside += 1;
      }
      // A fit that only counts when both parts come out above zero is not quite the one that the formula is of.
      expect(inside / trials).toBeGreaterThan(COVERAGE - 0.015);
      expect(inside / trials).toBeLessThan(0.995);
    },
  );

  test('the range widens with the distance to the rates that were seen', () => {
    const learned = cpuOf([3_000, 4_000, 6_000, 8_000].map((rate) => aRun(rate)));
    const width = (rate: number) => {
      const { low, high } = factorsOf(learned, 1e6, 1e6 / rate);
      return high / low;
    };
    expect(width(500)).toBeGreaterThan(width(2_000));
    expect(width(2_000)).toBeGreaterThan(width(5_000));
    expect(width(40_000)).toBeGreaterThan(width(6_000));
  });
});
