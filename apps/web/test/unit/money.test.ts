import { describe, expect, it } from 'vitest';
import {
  decimalsOfAll,
  doubleText,
  formatMoney,
  formatMoneyBounds,
  formatMoneyCell,
  formatMoneyNumber,
  formatMoneyRange,
  moneyRatio,
  parseTypedMoney,
  sumMoney,
} from '../../src/lib/money.ts';

const usd = (amount: string) => ({ amount, currency: 'USD' });

describe('money', () => {
  it.each([
    [8.5, '8.50'],
    [0.42149, '0.421'],
    [1234.567, '1,234.57'],
    [0, '0.00'],
    [1e-9, '<0.000001'],
  ])('of a place on a chart, %f, reads as any other: %s', (amount, text) => {
    expect(doubleText(amount)).toBe(text);
  });

  it.each([
    ['12.345', '12.35 USD'],
    ['0', '0.00 USD'],
    ['1234567.5', '1,234,567.50 USD'],
    ['0.1234567', '0.123 USD'],
    ['0.00012345', '0.000123 USD'],
    ['0.000000004', '<0.000001 USD'],
    ['999999999999.999999999999', '1,000,000,000,000.00 USD'],
  ])('%s reads %s', (amount, text) => expect(formatMoney(usd(amount))).toBe(text));

  it('says unknown, never 0, of what is not known', () => {
    expect(formatMoney(null)).toBe('unknown');
    expect(formatMoneyNumber(undefined)).toBe('unknown');
    expect(formatMoneyRange(null)).toBe('unknown');
    expect(moneyRatio(usd('1'), null)).toBeNull();
    expect(moneyRatio(usd('1'), usd('0'))).toBeNull();
    expect(sumMoney([])).toBeNull();
  });

  it('a little is not nothing, also at fewer decimals', () => {
    expect(formatMoneyNumber(usd('0.0004'), 2)).toBe('<0.01');
    expect(formatMoneyNumber(usd('0.006'), 2)).toBe('0.01');
  });

  it('gives a range with the decimals of its middle, and one figure where it is none', () => {
    expect(formatMoneyRange({ low: usd('0.24'), likely: usd('0.3'), high: usd('0.3999') })).toBe(
      '0.300 USD (0.240 to 0.400)',
    );
    expect(formatMoneyRange({ low: usd('3'), likely: usd('3'), high: usd('3') })).toBe('3.00 USD');
  });

  it('gives a part on a chart the decimals of its whole, and nothing its own', () => {
    expect(doubleText(0.000974, 0.00307)).toBe('0.00097');
    expect(doubleText(0, 0.00307)).toBe('0.00');
    expect(doubleText(0.000974)).toBe('0.000974');
  });

  it('gives both ends of a range the decimals of its middle, which stands beside them', () => {
    const range = { low: usd('0.000767'), likely: usd('0.00307'), high: usd('0.0123') };
    expect(formatMoneyBounds(range)).toBe('0.00077 to 0.01230');
    expect(formatMoneyBounds(range, 2)).toBe('<0.01 to 0.01');
    expect(formatMoneyBounds({ ...range, low: usd('0') })).toBe('0.00 to 0.01230');
    expect(formatMoneyBounds({ ...range, high: usd('0.0031') }, 2)).toBe('<0.01');
    expect(formatMoneyBounds({ low: usd('12.336'), likely: usd('12.34'), high: usd('12.344') }, 2)).toBe(
      'about 12.34',
    );
    expect(formatMoneyBounds({ low: usd('3'), likely: usd('3'), high: usd('3') })).toBeNull();
  });

  it('sums exactly, and nothing of two currencies', () => {
    expect(sumMoney([usd('0.1'), usd('0.2')])).toEqual({ amount: '0.30', currency: 'USD' });
    expect(sumMoney([usd('1'), { amount: '1', currency: 'EUR' }])).toBeNull();
  });

  it('one fineness for a column', () => {
    expect(decimalsOfAll([usd('0.0123'), usd('0.4'), null])).toBe(3);
    expect(decimalsOfAll([usd('1234')])).toBe(2);
    expect(decimalsOfAll([])).toBe(2);
    expect(formatMoneyCell(usd('0'), 3)).toBe('0');
    expect(formatMoneyCell(usd('0.0123'), 3)).toBe('0.012');
    expect(formatMoneyCell(null, 3)).toBe('unknown');
  });

  it.each([
    ['5', usd('5')],
    [' 1,234.50 ', usd('1234.50')],
    ['0', null],
    ['0.00', null],
    ['-3', null],
    ['five', null],
    ['1e3', null],
    ['1,234,567', usd('1234567')],
    // A comma groups thousands, as it does where amounts are shown; as a decimal mark it would be ten, a hundred or a thousand times as much.
    ['1,5', null],
    ['0,50', null],
    ['0,001', null],
    ['12,34.50', null],
    ['1,2345', null],
    ['999,999,999,999,999', null],
  ])('typed %j', (text, money) => expect(parseTypedMoney(text, 'USD')).toEqual(money));
});
