import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MeteredUsage, pricesOf, priceUsage } from '../../src/cost/items.ts';
import { formatAmount } from '../../src/cost/money.ts';
import {
  type PricedPast,
  pastOf,
  pastOfRecord,
  priceWithPast,
  recordOfPast,
} from '../../src/cost/priced-past.ts';
import { aPriceBook } from './a-price-book.ts';

const book = aPriceBook();
const rowsAt = (storeWritesPerMillion: string, spendCounts: 'everything' | 'overage' = 'everything') =>
  pricesOf(aPriceBook({ prices: { ...book.prices, storeWritesPerMillion }, spendCounts }));
const used = (rowsAttempted: bigint, absorbed = 0n): MeteredUsage => ({
  total: { rowsAttempted },
  absorbed: { rowsAttempted: absorbed },
  apportioned: [],
});

describe('an account that goes on while its price book changes', () => {
  test('what it used before is priced by the book before, what comes after by the new one', () => {
    const first = priceWithPast(used(1_000n), rowsAt('1000'), null);
    const past = pastOf(used(1_000n), first);
    expect(formatAmount(priceWithPast(used(1_000n), rowsAt('2000'), past).total)).toBe('1.00');
    const after = priceWithPast(used(1_500n), rowsAt('2000'), past);
    expect(formatAmount(after.total)).toBe('2.00');
    expect(after.items.find(({ item }) => item === 'store_writes')).toMatchObject({ quantity: 1_500n });
    expect(after.items.find(({ item }) => item === 'compute')).toMatchObject({ quantity: null, total: null });
  });

  test('what is spend is said by each book for its own time', () => {
    const past = pastOf(used(1_000n, 600n), priceWithPast(used(1_000n, 600n), rowsAt('1000'), null));
    const after = priceWithPast(used(2_000n, 600n), rowsAt('1000', 'overage'), past);
    expect(formatAmount(after.spend)).toBe('2.00');
    expect(formatAmount(after.overage)).toBe('1.40');
    expect(after.provisioned + after.overage).toBe(after.total);
  });

  test('a minute that absorbs less after the change than it did before makes nothing dearer than its price', () => {
    const past = pastOf(used(1_000n, 600n), priceWithPast(used(1_000n, 600n), rowsAt('1000'), null));
    const after = priceWithPast(used(1_100n, 0n), rowsAt('1000'), past);
    expect(formatAmount(after.overage)).toBe('0.50');
    expect(formatAmount(after.total)).toBe('1.10');
  });

  test('however often it changes, it is the sum of what was used under each; a record gives it back', () => {
    const periods = fc.array(
      fc.record({ rows: fc.bigInt(0n, 10n ** 9n), price: fc.integer({ min: 0, max: 9_999 }) }),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(periods, (given) => {
        let past: PricedPast | null = null;
        let rows = 0n;
        let expected = 0n;
        for (const { rows: more, price } of given) {
          rows += more;
          const prices = rowsAt(String(price));
          expected += priceUsage(used(more), prices).spend;
          const priced = priceWithPast(used(rows), prices, past);
          expect(priced.spend).toBe(expected);
          expect(priced.total).toBe(expected);
          past = pastOfRecord(recordOfPast(pastOf(used(rows), priced)));
        }
      }),
    );
  });
});
