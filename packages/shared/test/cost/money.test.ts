import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { Money } from '../../src/api/primitives.ts';
import { formatAmount, moneyOf, parseAmount, priceOf, scaled } from '../../src/cost/money.ts';

const atoms = fc.bigInt({ min: 0n, max: 10n ** 24n - 1n });

describe('money is exact', () => {
  test.each([
    ['0', 0n],
    ['0.1', 100_000_000_000n],
    ['12.34', 12_340_000_000_000n],
    ['0.000000000001', 1n],
    ['-2.5', -2_500_000_000_000n],
    ['999999999999.999999999999', 10n ** 24n - 1n],
  ])('reads %s', (text, expected) => {
    expect(parseAmount(text)).toBe(expected);
  });

  test.each(['', '.5', '1.', '1e3', '1,5', ' 1', '+1', '0.0000000000001', '1234567890123', 'NaN', '0x10'])(
    'does not read %j',
    (text) => {
      expect(parseAmount(text)).toBeNull();
    },
  );

  test('writes what it reads back, and what the contract takes', () => {
    fc.assert(
      fc.property(atoms, (amount) => {
        expect(parseAmount(formatAmount(amount))).toBe(amount);
        expect(Value.Check(Money, moneyOf(amount, 'USD'))).toBe(true);
      }),
    );
    expect(formatAmount(12_340_000_000_000n)).toBe('12.34');
    expect(formatAmount(5_000_000_000_000n)).toBe('5.00');
    expect(formatAmount(-1n)).toBe('-0.000000000001');
  });

  test('a tenth added ten times is one, which no double finds', () => {
    const tenth = parseAmount('0.1') as bigint;
    expect(formatAmount(Array.from({ length: 10 }, () => tenth).reduce((a, b) => a + b, 0n))).toBe('1.00');
  });

  test('a price times a quantity is the nearest atom, halves to the even one', () => {
    expect(priceOf(5n, 1n, 2n)).toBe(2n);
    expect(priceOf(7n, 1n, 2n)).toBe(4n);
    expect(priceOf(-5n, 1n, 2n)).toBe(-2n);
    expect(priceOf(2n, 1n, 3n)).toBe(1n);
    fc.assert(
      fc.property(
        atoms,
        fc.bigInt({ min: 0n, max: 10n ** 18n }),
        fc.bigInt({ min: 1n, max: 10n ** 16n }),
        (price, quantity, per) => {
          const off = priceOf(price, quantity, per) * per - price * quantity;
          expect((off < 0n ? -off : off) * 2n).toBeLessThanOrEqual(per);
        },
      ),
    );
  });

  test('a factor counts to a millionth', () => {
    expect(scaled(1_000_000n, 1.25)).toBe(1_250_000n);
    expect(scaled(3n, 0)).toBe(0n);
  });
});
