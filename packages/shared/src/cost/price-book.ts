/** Which price books are refused, and where the fault is. The schema has seen to shapes and units; this sees to sense. */
import type { PriceBook } from '../api/cost.ts';
import { currencies } from './currencies.ts';
import { parseAmount } from './money.ts';

export interface Refusal {
  /** JSON pointer into the price book. */
  readonly pointer: string;
  readonly detail: string;
}

/** Dearer than any cloud's dearest by far: a price for one unit written where one for a million, a GiB or an hour belongs. */
export const PRICE_MAX = '10000';
const PROVISIONED_MAX = { cores: 1_000_000, storeOperationsPerSecond: 1e9, streamBytes: 2 ** 50 } as const;

/** Empty: it can be used. */
export function priceBookRefusals(book: Pick<PriceBook, 'currency' | 'prices' | 'provisioned'>): Refusal[] {
  const refusals: Refusal[] = [];
  if (!currencies.has(book.currency))
    refusals.push({
      pointer: '/currency',
      detail: `${book.currency} is not a currency of ISO 4217 in circulation.`,
    });
  const most = parseAmount(PRICE_MAX) as bigint;
  for (const [name, amount] of Object.entries(book.prices)) {
    const pointer = `/prices/${name}`;
    const atoms = parseAmount(amount);
    if (atoms === null) refusals.push({ pointer, detail: `${amount} is not a decimal number.` });
    else if (atoms < 0n) refusals.push({ pointer, detail: 'A price cannot be negative.' });
    else if (atoms > most)
      refusals.push({
        pointer,
        detail: `${amount} is more than ${PRICE_MAX} a unit: is it for one where the unit is a million, a GiB or an hour?`,
      });
  }
  for (const name of Object.keys(PROVISIONED_MAX) as (keyof typeof PROVISIONED_MAX)[]) {
    const amount = book.provisioned[name];
    if (!(amount >= 0 && amount <= PROVISIONED_MAX[name]))
      refusals.push({
        pointer: `/provisioned/${name}`,
        detail: `A provisioned amount is from 0 to ${PROVISIONED_MAX[name]}.`,
      });
  }
  return refusals;
}
