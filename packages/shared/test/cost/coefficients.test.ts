import { describe, expect, test } from 'vitest';
import { type FinishedRun, learn, RUN_EVENTS_MIN, RUNS_KEPT } from '../../src/cost/coefficients.ts';
import {
  COVERAGE,
  CPU_SD,
  FETCHED_SD,
  factorsFrom,
  factorsOfDuration,
  PRIOR_SD,
  PRIOR_WEIGHT,
  SCATTER_SECONDS,
  studentT,
} from '../../src/cost/spread.ts';
import { type Seeded, seeded } from '../simulation/seeded.ts';

const aRun = (events: number, over: Partial<FinishedRun> = {}): FinishedRun => ({
  events,
  usage: { cpuMs: BigInt(events) / 50n, walBytes: BigInt(events) * 300n },
  seconds: 110,
  modelled: { seconds: 100, streamByteMs: 0 },
  longestPauseMs: null,
  ...over,
});

/** Box and Muller. */
const normal = (random: Seeded) =>
  Math.sqrt(-2 * Math.log(1 - random.between(0, 1))) * Math.cos(2 * Math.PI * random.between(0, 1));
/** χ² of so many degrees. */
const chiSquare = (random: Seeded, degrees: number) =>
  Array.from({ length: degrees }, () => normal(random) ** 2).reduce((sum, one) => sum + one, 0);

describe('ranges are honest', () => {
  test.each([
    [4, 2.7764],
    [5, 2.5706],
    [10, 2.2281],
    [30, 2.0423],
  ])('Student’s t of %i degrees', (freedom, table) => {
    expect(studentT(freedom)).toBeCloseTo(table, 2);
  });

  test.each([
    [1, PRIOR_SD],
    [2, PRIOR_SD],
    [5, PRIOR_SD],
    [20, PRIOR_SD],
    [1, CPU_SD],
    [5, CPU_SD],
    [1, FETCHED_SD],
  ])('after %i runs that scatter by %f the next one is inside as often as is said', (runs, priorSd) => {
    const random = seeded(runs);
    const trials = 20_000;
    let inside = 0;
    for (let trial = 0; trial < trials; trial++) {
      const sd = Math.sqrt((PRIOR_WEIGHT * priorSd ** 2) / chiSquare(random, PRIOR_WEIGHT));
      const mean = random.between(-1, 1);
      const ratio = () => Math.exp(mean + sd * normal(random));
      const { low, high } = factorsFrom(Array.from({ length: runs }, ratio), priorSd);
      const next = ratio();
      if (low <= next && next <= high) inside += 1;
    }
    // Three standard errors of the count.
    expect(Math.abs(inside / trials - COVERAGE)).toBeLessThan(
      3 * Math.sqrt((COVERAGE * (1 - COVERAGE)) / trials),
    );
  });

  test('after one run CPU, memory of the stream and what is fetched are inside as they were measured to be, and the rest is as narrow as before', () => {
    const usage = { ...aRun(100_000).usage, sourceBytes: 1_600_000n, streamByteMs: 1_000_000n };
    const { counters } = learn([aRun(100_000, { usage, modelled: { seconds: 100, streamByteMs: 900_000 } })]);
    const holds = (counter: 'cpuMs' | 'sourceBytes' | 'streamByteMs' | 'walBytes', ratio: number) => {
      const { low, likely, high } = counters[counter]?.factors ?? { low: 1, likely: 1, high: 1 };
      return low / likely <= ratio && ratio <= high / likely;
    };
    // Of ten windows and ten more, those that were furthest from their estimate (docs/measurements.md, "Cost").
    for (const ratio of [0.62, 1, 1.76, 2.12]) expect(holds('cpuMs', ratio), `${ratio}`).toBe(true);
    for (const ratio of [0.62, 1.3]) expect(holds('streamByteMs', ratio), `${ratio}`).toBe(true);
    for (const ratio of [0, 1, 5.14]) expect(holds('sourceBytes', ratio), `${ratio}`).toBe(true);
    for (const ratio of [0.7, 1.4]) expect(holds('walBytes', ratio), `${ratio}`).toBe(false);
  });

  test('runs that found all of it fetched say nothing of one that does not', () => {
    const cached = aRun(100_000, { usage: { sourceBytes: 0n, sourceRequests: 0n } });
    expect(learn([cached]).counters.sourceBytes).toMatchObject({
      use: 16,
      basis: 'assumed',
      // It may find all of it fetched as well.
      factors: { low: 0, high: 4 },
    });
    const fetching = aRun(100_000, { usage: { sourceBytes: 3_200_000n, sourceRequests: 2n } });
    expect(learn([cached, fetching]).counters.sourceBytes).toMatchObject({ use: 16, basis: 'learned' });
  });

  test('egress may be what is fetched: after a run that fetched, the next may have none', () => {
    const usage = { sourceBytes: 1_600_000n, sourceRequests: 2n, egressBytes: 1_600_000n };
    const { egressBytes } = learn([aRun(100_000, { usage })]).counters;
    expect(egressBytes).toMatchObject({ use: 16, basis: 'learned', factors: { low: 0 } });
  });

  test('wide without runs, narrower with each that agrees, wider when they scatter', () => {
    const width = (ratios: readonly number[]) => {
      const { low, high } = factorsFrom(ratios);
      return high / low;
    };
    const widths = [0, 1, 2, 5, 20].map((runs) => width(Array.from({ length: runs }, () => 1)));
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    expect(widths[0]).toBe(16);
    expect(width([0.5, 2, 0.6, 1.8])).toBeGreaterThan(width([1, 1, 1, 1]) * 2);
    expect(factorsFrom([1.2, 1.2]).likely).toBeCloseTo(1.2, 12);
  });

  test('a run that tells nothing is left out', () => {
    expect(factorsFrom([0, Number.NaN, Infinity])).toEqual(factorsFrom([]));
  });
});

describe('what is learned of time', () => {
  const runs = (count: number, seconds: number, modelled: number) =>
    Array.from({ length: count }, () => ({ seconds, modelled }));

  test('without a run it is the model’s word, ÷ 4 to × 4', () => {
    const { low, likely, high } = factorsOfDuration([]);
    expect([low, likely, high].map((factor) => Number(factor.toFixed(9)))).toEqual([0.25, 1, 4]);
  });

  test('a run of seconds says next to nothing of one of hours', () => {
    const { likely, low, high } = factorsOfDuration(runs(1, 6, 2));
    expect(likely).toBeLessThan(1.1);
    expect(high / low).toBeGreaterThan(8);
  });

  test('one run that was held up is not what the next is promised, and says how unsure that is', () => {
    const { likely, low } = factorsOfDuration(runs(1, 460, 52));
    expect(likely).toBeLessThan(3.1);
    expect(low).toBeLessThan(1);
    const { likely: after } = factorsOfDuration([...runs(1, 460, 52), ...runs(5, 52, 52)]);
    expect(after).toBeLessThan(1.4);
  });

  test('long runs that agree with each other are believed, whatever the model says', () => {
    const { likely, low, high } = factorsOfDuration(runs(20, 400, 200));
    expect(likely).toBeGreaterThan(1.9);
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
  });

  test.each([1, 2, 5, 20])('after %i runs of any length the next is inside as often as is said', (count) => {
    const random = seeded(count);
    const trials = 20_000;
    let inside = 0;
    for (let trial = 0; trial < trials; trial++) {
      const sd = Math.sqrt((PRIOR_WEIGHT * PRIOR_SD ** 2) / chiSquare(random, PRIOR_WEIGHT));
      const mean = random.between(-0.15, 0.15);
      const run = (modelled: number) => {
        const scatter = (SCATTER_SECONDS / 1.96) * normal(random);
        return {
          modelled,
          seconds: Math.max(0.1, modelled * Math.exp(mean + sd * normal(random)) + scatter),
        };
      };
      const { low, high } = factorsOfDuration(
        Array.from({ length: count }, () => run(random.between(2, 300))),
      );
      const next = run(300).seconds / 300;
      if (low <= next && next <= high) inside += 1;
    }
    expect(inside / trials).toBeGreaterThan(COVERAGE - 0.01);
  });
});

describe('what an event costs is learned', () => {
  test('nothing yet: assumptions, which say so', () => {
    const { runs, counters } = learn([]);
    expect(runs).toBe(0);
    expect(counters.cpuMs?.basis).toBe('assumed');
  });

  test('use per event and duration, from what runs have measured; what none has is unknown', () => {
    const { counters, duration, runs } = learn([aRun(100_000), aRun(300_000)]);
    expect(runs).toBe(2);
    expect(counters.walBytes).toMatchObject({ use: 300, basis: 'learned' });
    expect(counters.cpuMs?.use).toBeCloseTo(0.02, 9);
    expect(counters.egressBytes).toBeUndefined();
    // Drawn to the model, which counts as one of three.
    expect(duration.likely).toBeCloseTo(1.1 ** (2 / 3), 2);
  });

  test('memory of the stream is learned as a ratio to the model', () => {
    const run = aRun(10_000, {
      usage: { streamByteMs: 300n },
      modelled: { seconds: 100, streamByteMs: 200 },
    });
    expect(learn([run]).counters.streamByteMs?.use).toBe(1.5);
  });

  test('zero stays zero', () => {
    expect(learn([aRun(10_000, { usage: { egressBytes: 0n } })]).counters.egressBytes).toMatchObject({
      use: 0,
      factors: { low: 1, high: 1 },
    });
  });

  test('tiny runs and long gone ones are left out', () => {
    const many = Array.from({ length: RUNS_KEPT }, () => aRun(100_000));
    const old = aRun(100_000, { usage: { walBytes: 1n } });
    expect(learn([old, ...many]).counters.walBytes?.use).toBe(300);
    expect(learn([aRun(RUN_EVENTS_MIN - 1)]).runs).toBe(0);
  });
});
