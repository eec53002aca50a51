import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterFailure } from '../../src/backfill/attempts.ts';
import { binRuns } from '../../src/backfill/bins.ts';
import { mergeDone } from '../../src/backfill/merge-runs.ts';
import { etaSeconds, percentDone } from '../../src/backfill/progress.ts';

test('merged runs cover the same subwindows with the same sums', () => {
  const lengths = fc.array(
    fc.record({
      length: fc.integer({ min: 1, max: 5 }),
      gap: fc.nat(1),
      published: fc.nat(9),
      again: fc.nat(9),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.nat()), (parts, order) => {
      let at = 0;
      const runs = parts.map(({ length, gap, published, again }, index) => {
        const fromIndex = at + gap;
        at = fromIndex + length;
        return { id: `${index}`, fromIndex, toIndex: at, read: published, published, again, quarantined: 0 };
      });
      const shuffled = runs
        .map((run) => [order.next().value, run] as const)
        .toSorted((a, b) => a[0] - b[0])
        .map(([, run]) => run);
      const merged = mergeDone(shuffled);
      const covered = (all: typeof runs) =>
        all
          .flatMap(({ fromIndex, toIndex }) =>
            Array.from({ length: toIndex - fromIndex }, (_, i) => fromIndex + i),
          )
          .toSorted((a, b) => a - b);
      expect(covered(merged)).toEqual(covered(runs));
      for (const counted of ['published', 'again'] as const)
        expect(merged.reduce((sum, run) => sum + run[counted], 0)).toBe(
          runs.reduce((sum, run) => sum + run[counted], 0),
        );
      expect(merged.length).toBe(parts.filter(({ gap }, index) => index === 0 || gap > 0).length);
    }),
  );
});

const failed = (code: string, retriable = true) => ({ failure: { code }, retriable });

/** What a run waits in all, in seconds, that fails of the same again and again. */
function patienceOf(reported: Parameters<typeof afterFailure>[1]): { failures: number; seconds: number } {
  for (let failures = 1, waitedMs = 0; ; failures++) {
    const next = afterFailure(failures, reported);
    if (next.type === 'failed') return { failures, seconds: waitedMs / 1_000 };
    waitedMs += next.afterMs;
  }
}

test('what came to nothing is tried again after longer and longer', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map((failures) => afterFailure(failures, failed('source_unavailable')));
  expect(waits.map((next) => (next.type === 'again' ? next.afterMs / 1_000 : null))).toEqual([
    1, 2, 4, 8, 16, 30, 30,
  ]);
});

test.each(['source_unavailable', 'stream_unavailable', 'stream_full', 'store_unavailable'])(
  '%s may pass: a run that meets nothing else fails after ten minutes of waiting',
  (code) => {
    expect(patienceOf(failed(code))).toEqual({ failures: 25, seconds: 601 });
  },
);

test('any other failure ends a run with the fifth, and one that is for good with the first', () => {
  for (const code of ['attempt_failed', 'stream_missing', 'stream_denied', 'store_failed'])
    expect(patienceOf(failed(code))).toEqual({ failures: 5, seconds: 15 });
  for (const code of ['source_missing', 'source_corrupt', 'source_denied', 'source_unavailable'])
    expect(patienceOf(failed(code, false))).toEqual({ failures: 1, seconds: 0 });
  expect(afterFailure(12, failed('attempt_failed'))).toEqual({ type: 'failed' });
});

test('bins hold the part of their time that is done', () => {
  const runs = [
    { state: 'done', from: 0, to: 25 },
    { state: 'leased', from: 25, to: 30 },
    { state: 'failed', from: 90, to: 100 },
    { state: 'pending', from: 40, to: 50 },
  ] as const;
  expect(binRuns(runs, { from: 0, to: 100 }, 4)).toEqual({
    done: [1, 0, 0, 0],
    active: [0, 0.2, 0, 0],
    failed: [0, 0, 0, 0.4],
  });
});

describe('progress', () => {
  const numbers = {
    state: 'running',
    subwindowsTotal: 10,
    subwindowsDone: 2,
    eventsExpected: 1_000,
    eventsEstimated: null,
    eventsDone: 400,
    eventsHandled: 400,
    appliedEventsPerSecond: 60,
    effectiveEventsPerSecond: 80,
    runSeconds: 7,
  } as const;
  test('by events when they are known, else by subwindows, 100 only at the end', () => {
    expect(percentDone(numbers)).toBe(40);
    expect(percentDone({ ...numbers, eventsExpected: null })).toBe(20);
    expect(percentDone({ ...numbers, eventsDone: 5_000 })).toBe(99.9);
    expect(percentDone({ ...numbers, eventsDone: null }), 'of a store that is not ours').toBe(20);
    expect(percentDone({ ...numbers, subwindowsDone: 10 })).toBe(100);
  });
  test('an estimate only while something moves', () => {
    expect(etaSeconds(numbers)).toEqual({ low: 8, likely: 10, high: 20 });
    expect(etaSeconds({ ...numbers, appliedEventsPerSecond: 0 })).toBeNull();
    expect(etaSeconds({ ...numbers, effectiveEventsPerSecond: 0 })).toBeNull();
    expect(etaSeconds({ ...numbers, eventsExpected: null })).toBeNull();
    expect(etaSeconds({ ...numbers, state: 'paused' })).toBeNull();
  });
  test('of events that are estimated there is a wider one, and percent by what is likely', () => {
    const estimated = {
      ...numbers,
      eventsExpected: null,
      eventsEstimated: { low: 700, likely: 1_000, high: 1_600 },
    };
    expect(percentDone(estimated)).toBe(40);
    expect(etaSeconds(estimated)).toEqual({ low: 4, likely: 10, high: 40 });
  });
  test('of what is read again the mean is of all readings, and what is left of the last', () => {
    const again = { ...numbers, eventsDone: 490, eventsHandled: 990, runSeconds: 99 };
    expect(percentDone(again)).toBe(49);
    expect(etaSeconds(again)).toEqual({ low: 6.8, likely: 8.5, high: 76.5 });
  });
  test('what goes slower or faster than the whole run did ends between the two', () => {
    expect(etaSeconds({ ...numbers, runSeconds: 20 })).toEqual({ low: 8, likely: 10, high: 45 });
    expect(etaSeconds({ ...numbers, runSeconds: 20, appliedEventsPerSecond: 10 })).toEqual({
      low: 24,
      likely: 60,
      high: 120,
    });
    const begun = { ...numbers, eventsDone: 0, eventsHandled: 0, runSeconds: 20 };
    expect(etaSeconds(begun)?.high).toBeCloseTo(33.3);
  });
  test('a run in fits and starts ends inside its range, whenever one looks', () => {
    const phases = fc.record({
      fast: fc.integer({ min: 1, max: 40 }),
      slow: fc.integer({ min: 1, max: 40 }),
      times: fc.integer({ min: 2, max: 40 }),
    });
    let inside = 0;
    let looks = 0;
    fc.assert(
      fc.property(phases, ({ fast, slow, times }) => {
        const cycle = [...Array<number>(fast).fill(40 * times), ...Array<number>(slow).fill(40)];
        const cycles = 2 + Math.ceil(100 / cycle.length);
        const rates = Array.from({ length: cycles }, () => cycle).flat();
        const total = rates.reduce((sum, rate) => sum + rate, 0);
        let applied = 0;
        for (const [second, rate] of rates.entries()) {
          applied += rate;
          // The last moments of a run are a phase of their own; and there is no mean before one round of phases.
          const leftSeconds = rates.length - second - 1;
          if (second < cycle.length || leftSeconds < cycle.length) continue;
          const eta = etaSeconds({
            ...numbers,
            eventsExpected: total,
            eventsDone: applied,
            eventsHandled: applied,
            appliedEventsPerSecond: rate,
            runSeconds: second + 1,
          });
          looks++;
          if (eta !== null && eta.low <= leftSeconds && leftSeconds <= eta.high) inside++;
        }
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(inside / looks).toBeGreaterThan(0.95);
  });
});
