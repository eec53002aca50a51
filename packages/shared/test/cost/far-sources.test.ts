import { expect, test } from 'vitest';
import { type FinishedRun, learn } from '../../src/cost/coefficients.ts';
import { withFarSources } from '../../src/cost/far-sources.ts';
import { pricePresets } from '../../src/cost/presets.ts';
import { quoteOf } from '../../src/quote/quote.ts';
import { aQuote } from '../quote/a-quote.ts';
import { aPriceBook } from './a-price-book.ts';

const GIB = 1_073_741_824;
const run = (usage: { scan?: number; egress?: number }): FinishedRun => ({
  events: 1_000_000,
  usage: {
    ...(usage.scan === undefined ? {} : { sourceBytes: BigInt(usage.scan * 1e6) }),
    ...(usage.egress === undefined ? {} : { egressBytes: BigInt(usage.egress * 1e6) }),
  },
  seconds: 105,
  modelled: { seconds: 100, streamByteMs: 1_000_000 },
  longestPauseMs: null,
});
/** Of a million events, in bytes an event: a dollar a GiB, and nothing else has a price. */
const free = Object.fromEntries(Object.keys(pricePresets['example-cloud'].prices).map((name) => [name, '0']));
const priceBook = aPriceBook({
  prices: { ...(free as ReturnType<typeof aPriceBook>['prices']), egressPerGib: '1' },
});
function egress(runs: readonly FinishedRun[], part: number, highEvents = 1_000_000) {
  const range = { low: 1_000_000, likely: 1_000_000, high: highEvents };
  const { cost } = quoteOf(
    aQuote({
      coefficients: withFarSources(learn(runs), part),
      lanes: [{ sourceId: 'east', basis: 'counted', events: range }],
      priceBook,
    }),
  );
  const item = cost?.items.find(({ item }) => item === 'egress');
  if (item?.total == null) return null;
  const perEvent = (money: typeof item.low) => Number(((Number(money?.amount) * GIB) / 1e6).toFixed(2));
  // What the whole may come to is what its items may.
  expect(cost).toMatchObject({ low: item.low, likely: item.total, high: item.high });
  return { low: perEvent(item.low), likely: perEvent(item.total), high: perEvent(item.high) };
}

const none = { low: 0, likely: 0, high: 0 };

test.each<[string, readonly FinishedRun[], number, { low: number; likely: number; high: number } | null]>([
  ['no run, sources here', [], 0, none],
  ['no run, sources elsewhere: what is read, as assumed', [], 1, { low: 0, likely: 16, high: 64 }],
  ['no run, a quarter of the events elsewhere', [], 0.25, { low: 0, likely: 4, high: 16 }],
  ['runs of sources here', [run({ scan: 20, egress: 0 })], 0, none],
  [
    'runs that found all of it fetched: likely as they did, at most all that may be read',
    [run({ scan: 0, egress: 0 }), run({ scan: 0, egress: 0 })],
    1,
    { low: 0, likely: 0, high: 64 },
  ],
  ['the same, of sources here', [run({ scan: 0, egress: 0 })], 0, none],
  ['nobody measured it', [run({ scan: 20 })], 1, null],
])('egress with %s', (_what, runs, part, expected) => {
  expect(egress(runs, part)).toEqual(expected);
});

test('after runs that fetched, at most what is scanned at most, and no less than they had', () => {
  const fetching = run({ scan: 20, egress: 20 });
  const { low, likely, high } = egress([fetching], 1) ?? none;
  expect([low, likely]).toEqual([0, 20]);
  expect(high).toBeCloseTo(20 * (learn([fetching]).counters.sourceBytes?.factors.high ?? 0), 1);
  // A store that is elsewhere, too: more crosses than is read.
  const more = egress([run({ scan: 1, egress: 100 })], 1);
  expect(more?.high).toBeGreaterThan(100);
  // A pipeline of files gets a source that is elsewhere.
  const added = egress([run({ scan: 20, egress: 0 })], 1);
  expect(added).toMatchObject({ low: 0, likely: 0 });
  expect(added?.high).toBeGreaterThan(20);
});

test('of a window whose events are not known for sure it is at most what the most of them read', () => {
  expect(egress([run({ scan: 0, egress: 0 })], 1, 2_000_000)?.high).toBeCloseTo(128, 1);
});
