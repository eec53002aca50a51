import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecastSpend } from '../../src/cost/forecast.ts';
import { pricesOf, priceUsage } from '../../src/cost/items.ts';
import { parseAmount } from '../../src/cost/money.ts';
import { owedForProof } from '../../src/cost/proof-cost.ts';
import { aPriceBook } from './a-price-book.ts';

const dollars = (amount: string) => parseAmount(amount) as bigint;

describe('the forecast at completion', () => {
  const total = { low: 900n, likely: 1_000n, high: 1_100n };
  const factors = { low: 0.8, likely: 1, high: 1.25 };
  const forecast = (spent: string, eventsDone: bigint, estimate: string | null) =>
    forecastSpend({
      spent: dollars(spent),
      owed: 0n,
      eventsHandled: eventsDone,
      eventsDone,
      eventsTotal: total,
      factors,
      estimate: estimate === null ? null : dollars(estimate),
    });

  test('the estimate at first, the run itself later', () => {
    const first = forecast('0', 0n, '10')?.likely ?? 0n;
    expect(Number(first)).toBeCloseTo(Number(dollars('10')), -8);
    const half = Number(forecast('10', 500n, '10')?.likely ?? 0n) / 1e12;
    expect(half).toBeGreaterThan(19);
    expect(half).toBeLessThan(20);
  });

  test('at the end it is what was spent, however wide it began; and never below', () => {
    const end = forecastSpend({
      spent: 77n,
      owed: 0n,
      eventsHandled: 1_000n,
      eventsDone: 1_000n,
      eventsTotal: { low: 1_000n, likely: 1_000n, high: 1_000n },
      factors,
      estimate: 5n,
    });
    expect(end).toEqual({ low: 77n, likely: 77n, high: 77n });
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.bigInt({ min: 1n, max: 1_000n }),
        (spent, eventsDone) => {
          const range = forecastSpend({
            spent,
            owed: 0n,
            eventsHandled: eventsDone,
            eventsDone,
            eventsTotal: total,
            factors,
            estimate: null,
          });
          expect(range?.low).toBeGreaterThanOrEqual(spent);
          expect(range?.likely).toBeGreaterThanOrEqual(range?.low ?? 0n);
          expect(range?.high).toBeGreaterThanOrEqual(range?.likely ?? 0n);
        },
      ),
    );
  });

  // A million rows written at 1, and 1,150,000 read for the proof at 0.2; of which a quarter is absorbed.
  test.each([
    ['everything', '1.23', '1'],
    ['overage', '0.9225', '0.75'],
  ] as const)(
    'the proof is in it from the first event on, and it does not move while that is paid for: spend is %s',
    (spendCounts, whole, unproved) => {
      const prices = pricesOf(aPriceBook({ spendCounts }));
      const events = 1_000_000n;
      const forecastAt = (handled: bigint, checked: bigint, thrownAway = 0n, again = 0n) => {
        const done = handled - again;
        const reads = ((checked + thrownAway) * 115n) / 100n;
        const priced = priceUsage(
          {
            total: { rowsAttempted: handled, storeReads: reads },
            absorbed: { rowsAttempted: handled / 4n, storeReads: reads / 4n },
            apportioned: [],
          },
          prices,
        );
        return forecastSpend({
          spent: priced.spend,
          owed: owedForProof({ done: Number(done), checked: Number(checked) }, prices, priced),
          eventsHandled: handled,
          eventsDone: done,
          eventsTotal: { low: events, likely: events, high: events },
          estimate: dollars(whole),
          factors,
        });
      };
      for (const [done, checked] of [
        [4n, 0n],
        [400_000n, 0n],
        [events, 0n],
        [events, 520_000n],
        [events, events],
      ] as const)
        expect(Number(forecastAt(done, checked)?.likely) / Number(dollars(whole))).toBeCloseTo(1, 5);
      // 500,000 events were checked by an attempt that failed: what that came to is spent, and comes on top.
      const onTop = Number(dollars('0.115')) * (spendCounts === 'overage' ? 0.75 : 1);
      for (const checked of [0n, 400_000n, events])
        expect(
          Number(forecastAt(events, checked, 500_000n)?.likely) / (Number(dollars(whole)) + onTop),
        ).toBeCloseTo(1, 5);
      expect(forecastAt(events, 0n)?.low).toBeGreaterThan(dollars(unproved));
      // Half of it differed from its source: it is written once more, and all is read for a second proof.
      const half = events / 2n;
      const twice =
        1.5 * Number(dollars(unproved)) + 2 * (Number(dollars(whole)) - Number(dollars(unproved)));
      for (const done of [events, events + half / 2n, events + half])
        expect(Number(forecastAt(done, 0n, events, half)?.likely) / twice).toBeCloseTo(1, 1);
    },
  );

  test('nothing done and nothing estimated is unknown', () => {
    expect(forecast('0', 0n, null)).toBeNull();
  });
});
