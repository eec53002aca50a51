import { describe, expect, test } from 'vitest';
import { parseAmount } from '../../src/cost/money.ts';
import { amountText, moneyText, partOfMoneyText } from '../../src/cost/money-text.ts';
import { spanText } from '../../src/time/span.ts';

const atoms = (amount: string) => parseAmount(amount) as bigint;

describe('figures for people', () => {
  test.each([
    ['0.037980026093', '0.0380'],
    ['12.345678901234', '12.35'],
    ['1234567.891', '1,234,567.89'],
    ['0.000000000001', '<0.000001'],
    ['0', '0.00'],
    ['-0.5', '-0.500'],
  ])('%s reads %s', (amount, text) => {
    expect(amountText(atoms(amount))).toBe(text);
  });

  test('with its currency; a part with the decimals of its whole', () => {
    expect(moneyText({ amount: '0.037980026093', currency: 'USD' })).toBe('0.0380 USD');
    expect(partOfMoneyText(atoms('8.100000000001'), atoms('10'), 'EUR')).toBe('8.10 of 10.00 EUR');
    expect(partOfMoneyText(atoms('0.037980026093'), atoms('0.05'), 'USD')).toBe('0.0380 of 0.0500 USD');
  });

  test.each([
    [999, '0 s'],
    [45_999, '45 s'],
    [250_000, '4 min 10 s'],
    [11_520_000, '3 h 12 min'],
    [187_200_000, '2 d 4 h'],
  ])('%s ms read %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});
