import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MeteredUsage, pricesOf, priceUsage } from '../../src/cost/items.ts';
import { formatAmount } from '../../src/cost/money.ts';
import { addUsage, apportion, lessUsage, type Usage, usageCounters } from '../../src/cost/usage.ts';
import { aPriceBook } from './a-price-book.ts';

const prices = pricesOf(aPriceBook());
const used = (total: Usage, absorbed: Usage = {}): MeteredUsage => ({ total, absorbed, apportioned: [] });
const quantity = fc.bigInt({ min: 0n, max: 10n ** 18n });
const part = fc.integer({ min: 0, max: 1_000 });
const usages = fc
  .array(fc.record({ counter: fc.constantFrom(...usageCounters), total: quantity, absorbed: part }))
  .map((given) => {
    const total: Record<string, bigint> = {};
    const absorbed: Record<string, bigint> = {};
    for (const one of given) {
      total[one.counter] = one.total;
      absorbed[one.counter] = (one.total * BigInt(one.absorbed)) / 1_000n;
    }
    return used(total, absorbed);
  });

describe('the items of a cost', () => {
  test.each([
    ['compute', { cpuMs: 3_600_000n }, '0.036'],
    ['store_reads', { storeReads: 1_000_000n }, '0.20'],
    ['store_writes', { rowsAttempted: 1n }, '0.000001'],
    ['store_wal', { walBytes: 2n ** 30n }, '0.10'],
    ['stream_operations', { streamOperations: 2_000_000n }, '0.08'],
    ['stream_memory', { streamByteMs: 2n ** 30n * 3_600_000n * 5n }, '0.10'],
    ['source_requests', { sourceRequests: 1_000n }, '0.0004'],
    ['source_scan', { sourceBytes: 2n ** 30n * 10n }, '0.05'],
    ['egress', { egressBytes: 2n ** 29n }, '0.045'],
  ])('%s', (item, usage, cost) => {
    const priced = priceUsage(used(usage), prices);
    expect(formatAmount(priced.total)).toBe(cost);
    expect(priced.items.filter(({ total }) => total !== null)).toMatchObject([{ item }]);
  });

  test('provisioned + overage = total, of every item and of all; what is unknown is null and in no sum', () => {
    fc.assert(
      fc.property(usages, (usage) => {
        const priced = priceUsage(usage, prices);
        let total = 0n;
        for (const item of priced.items) {
          if (item.quantity === null) {
            expect([item.total, item.provisioned, item.overage]).toEqual([null, null, null]);
            continue;
          }
          expect((item.provisioned ?? -1n) + (item.overage ?? -1n)).toBe(item.total);
          expect(item.overage).toBeGreaterThanOrEqual(0n);
          expect(item.provisioned).toBeGreaterThanOrEqual(0n);
          total += item.total ?? 0n;
        }
        expect(priced.total).toBe(total);
        expect(priced.provisioned + priced.overage).toBe(priced.total);
      }),
    );
  });

  test('spend is what the price book says it counts', () => {
    const usage = used({ cpuMs: 7_200_000n }, { cpuMs: 3_600_000n });
    expect(formatAmount(priceUsage(usage, prices).spend)).toBe('0.072');
    const overage = pricesOf(aPriceBook({ spendCounts: 'overage' }));
    expect(formatAmount(priceUsage(usage, overage).spend)).toBe('0.036');
  });
});

describe('usage', () => {
  test('what is unknown in both stays unknown, what one knows counts', () => {
    expect(addUsage({ cpuMs: 1n }, { cpuMs: 2n, walBytes: 3n })).toEqual({ cpuMs: 3n, walBytes: 3n });
    expect(lessUsage({ cpuMs: 3n }, { cpuMs: 2n })).toEqual({ cpuMs: 1n });
    expect(addUsage({}, {})).toEqual({});
  });

  test('parts are the whole, and off their exact share by less than one', () => {
    fc.assert(
      fc.property(
        quantity,
        fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 9 }),
        (whole, weights) => {
          const parts = apportion(whole, weights);
          const sum = weights.reduce((a, b) => a + b, 0n);
          if (sum === 0n) {
            expect(parts).toBeNull();
            return;
          }
          expect(parts?.reduce((a, b) => a + b, 0n)).toBe(whole);
          for (const [index, share] of parts?.entries() ?? []) {
            const off = share * sum - whole * (weights[index] as bigint);
            expect(off < 0n ? -off : off).toBeLessThan(sum);
          }
        },
      ),
    );
  });
});
