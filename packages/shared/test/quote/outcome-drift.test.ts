import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { learn } from '../../src/cost/coefficients.ts';
import { movingOf, type Outcome, outcomeDrift } from '../../src/quote/outcome-drift.ts';
import { reckon } from '../../src/quote/quote.ts';
import type { QuoteInputs } from '../../src/quote/quote-inputs.ts';
import { aPriceBook } from '../cost/a-price-book.ts';
import { aModel, aQuote } from './a-quote.ts';

const TARGET_MS = 100;
function outcome(over: Partial<QuoteInputs> = {}, targetMs = TARGET_MS): Outcome {
  const inputs = aQuote(over);
  const { quote } = reckon(inputs);
  return { estimate: quote, moving: movingOf(inputs, targetMs, quote) };
}
const overage = aPriceBook({
  spendCounts: 'overage',
  provisioned: { cores: 1, storeOperationsPerSecond: 50_000, streamBytes: 2 ** 30 },
});
const fast = { limits: { eventsPerSecond: 30_000, share: null, concurrency: 2, budget: null } };
const busy = { ...aModel, replayCommit: { ...aModel.replayCommit, budgetMs: 2 } };

/** As the runs of `aQuote`, but for its log. */
function learnedWithLog(walBytes: bigint) {
  const run = {
    events: 1_000_000,
    usage: { events: 1_000_000n, walBytes, rowsAttempted: 1_000_000n, cpuMs: 40_000n },
    seconds: 105,
    modelled: { seconds: 100, streamByteMs: 4_500_000_000 },
    longestPauseMs: null,
  };
  return learn([run, run, run]);
}

describe('a quote whose rest has moved', () => {
  test('holds where nothing did', () => expect(outcomeDrift(outcome(), outcome(), 'everything')).toEqual([]));

  test.each<[string, Outcome, Outcome, string[]]>([
    [
      'live takes what it needs',
      outcome(fast),
      outcome({ ...fast, liveEventsPerSecond: 25_000 }),
      ['/durationSeconds', '/liveEventsPerSecond'],
    ],
    [
      'the freshness target makes commits small',
      outcome(fast),
      outcome({ ...fast, model: busy }, 10),
      ['/durationSeconds', '/freshnessTargetMs'],
    ],
    [
      'the stream keeps less than its peak',
      outcome(),
      outcome({ retention: { ms: null, entries: null, bytes: 1 } }),
      ['/stream', '/retention/bytes'],
    ],
    [
      'runs have taught that an event writes ten times the log',
      outcome({ coefficients: learnedWithLog(300_000_000n) }),
      outcome({ coefficients: learnedWithLog(3_000_000_000n) }),
      ['/cost', '/learned/walBytes'],
    ],
    [
      'live takes what was paid for already',
      outcome({ priceBook: overage }),
      outcome({
        priceBook: overage,
        liveEventsPerSecond: 5_000,
        liveUse: { cores: 4, storeOperationsPerSecond: 80_000, streamBytes: 2 ** 30 },
      }),
      ['/cost', '/liveEventsPerSecond'],
    ],
    [
      'it would never end',
      outcome(),
      outcome({ limits: { eventsPerSecond: 0, share: null, concurrency: 2, budget: null } }),
      ['/durationSeconds', '/cost'],
    ],
  ])('drifts where %s, and says what moved', (_what, quoted, now, pointers) =>
    expect(outcomeDrift(quoted, now, overage.spendCounts).map(({ pointer }) => pointer)).toEqual(pointers),
  );

  test('in words: what was likely, how far it might be off, and what is likely now', () => {
    const [time, live] = outcomeDrift(outcome(fast), outcome({ ...fast, liveEventsPerSecond: 25_000 }), null);
    expect(time?.detail).toMatch(/^Likely time: \d+ s \(.+ to .+\) when quoted, .+ now\.$/);
    expect(live?.detail).toBe('Live, events/s: 1000 when quoted, 25000 now.');
  });

  test('what had no range promised nothing', () => {
    const blind = outcome({ lanes: [{ sourceId: 'east', basis: 'unknown', events: null }] });
    expect(outcomeDrift(blind, outcome(), 'everything')).toEqual([]);
  });

  test('holds where live makes it a little later than was likely: that is what its range is for', () => {
    const quoted = outcome({ ...fast, liveEventsPerSecond: 10_000 });
    const now = outcome({ ...fast, liveEventsPerSecond: 11_500 });
    const seconds = ({ estimate }: Outcome) => estimate.durationSeconds?.likely ?? Number.NaN;
    expect(seconds(now)).toBeGreaterThan(seconds(quoted) * 1.03);
    expect(outcomeDrift(quoted, now, 'everything')).toEqual([]);
  });

  test('holds while live is as noisy as live is: nothing that goes up and down by a quarter drifts a quote', () => {
    const worlds = fc.record({
      eventsPerSecond: fc.integer({ min: 100, max: 20_000 }),
      live: fc.integer({ min: 0, max: 10_000 }),
      noise: fc.double({ min: 0.75, max: 1.25, noNaN: true }),
      priceBook: fc.constantFrom(aPriceBook(), overage),
    });
    fc.assert(
      fc.property(worlds, ({ eventsPerSecond, live, noise, priceBook }) => {
        const at = (liveEventsPerSecond: number) =>
          outcome({
            priceBook,
            limits: { eventsPerSecond, share: null, concurrency: 2, budget: null },
            liveEventsPerSecond,
            ceilingEventsPerSecond: 36_000 - liveEventsPerSecond,
            liveUse: {
              cores: liveEventsPerSecond * 0.00004,
              storeOperationsPerSecond: liveEventsPerSecond,
              streamBytes: 10_000,
            },
          });
        expect(outcomeDrift(at(live), at(live * noise), priceBook.spendCounts)).toEqual([]);
      }),
    );
  });
});
