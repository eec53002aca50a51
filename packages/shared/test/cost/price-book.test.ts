import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { PriceBook, PutPriceBook } from '../../src/api/cost.ts';
import { PRESETS_DATED, pricePresets } from '../../src/cost/presets.ts';
import { PRICE_MAX, priceBookRefusals } from '../../src/cost/price-book.ts';
import { aPriceBook } from './a-price-book.ts';

const withPrice = (name: string, amount: string) =>
  aPriceBook({ prices: { ...aPriceBook().prices, [name]: amount } });
const withProvisioned = (name: string, amount: number) =>
  aPriceBook({ provisioned: { ...aPriceBook().provisioned, [name]: amount } });

describe('price book', () => {
  test('a sensible one is taken', () => {
    expect(Value.Check(PriceBook, aPriceBook())).toBe(true);
    expect(priceBookRefusals(aPriceBook())).toEqual([]);
    expect(priceBookRefusals(withPrice('walPerGib', PRICE_MAX))).toEqual([]);
    expect(priceBookRefusals(withPrice('walPerGib', '0'))).toEqual([]);
  });

  test.each([
    [withPrice('walPerGib', '-0.1'), '/prices/walPerGib', /negative/],
    [withPrice('egressPerGib', '10000.000001'), '/prices/egressPerGib', /more than 10000/],
    [withPrice('egressPerGib', 'many'), '/prices/egressPerGib', /decimal/],
    [aPriceBook({ currency: 'XXX' }), '/currency', /XXX/],
    [withProvisioned('cores', -1), '/provisioned/cores', /from 0/],
    [withProvisioned('cores', Number.NaN), '/provisioned/cores', /from 0/],
    [withProvisioned('storeOperationsPerSecond', 1e12), '/provisioned/storeOperationsPerSecond', /from 0/],
  ])('refused where the fault is: case %#', (book, pointer, detail) => {
    const refusals = priceBookRefusals(book);
    expect(refusals.map((refusal) => refusal.pointer)).toEqual([pointer]);
    expect(refusals[0]?.detail).toMatch(detail);
  });

  test('every fault is named, not the first alone', () => {
    const book = { ...withPrice('walPerGib', '-1'), currency: 'ABC' };
    expect(priceBookRefusals(book).map(({ pointer }) => pointer)).toEqual(['/currency', '/prices/walPerGib']);
  });

  test.each(Object.entries(pricePresets))('%s is valid, an example, and dated', (name, preset) => {
    expect(Value.Check(PutPriceBook, preset)).toBe(true);
    expect(priceBookRefusals(preset)).toEqual([]);
    expect(name).toMatch(/^example-/);
    expect(preset.title).toMatch(/^Example, /);
    expect(new Date(`${preset.title.slice(9).split(':')[0]} UTC`).toISOString().slice(0, 10)).toBe(
      PRESETS_DATED,
    );
  });

  test('a misspelt price is not silently none', () => {
    const { walPerGib: _, ...prices } = aPriceBook().prices;
    expect(Value.Check(PriceBook, { ...aPriceBook(), prices: { ...prices, walPerGB: '1' } })).toBe(false);
  });
});
