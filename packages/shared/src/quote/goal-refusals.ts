/** Goals that make no sense, and where. One that is merely impossible is answered with the nearest possible instead. */

import type { QuoteRequest } from '../api/quote.ts';
import { currencies } from '../cost/currencies.ts';
import { atomsOf } from '../cost/money.ts';
import type { Refusal } from '../cost/price-book.ts';

export function goalRefusals(
  { finishBy, maxCost, limits }: Pick<QuoteRequest, 'finishBy' | 'maxCost' | 'limits'>,
  currency: string | null,
  nowMs: number,
): Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (pointer: string, detail: string) => refusals.push({ pointer, detail });
  if (finishBy !== undefined && maxCost !== undefined)
    refuse('/maxCost', 'Ask for finishBy or for maxCost: a rate cannot be solved for both.');
  if (finishBy !== undefined || maxCost !== undefined) {
    if (typeof limits?.eventsPerSecond === 'number')
      refuse('/limits/eventsPerSecond', 'A goal is solved to a rate: leave the rate out.');
    if (typeof limits?.share === 'number')
      refuse('/limits/share', 'A goal is solved to a rate: leave the share out.');
  }
  if (finishBy !== undefined && !(Date.parse(finishBy) > nowMs)) refuse('/finishBy', 'That time has passed.');
  for (const [pointer, money] of [
    ['/maxCost', maxCost],
    ['/limits/budget', limits?.budget],
  ] as const) {
    if (money === undefined || money === null) continue;
    if (pointer === '/maxCost' && atomsOf(money) === 0n)
      refuse('/maxCost/amount', 'Nothing can be replayed for nothing.');
    if (currency === null) refuse(pointer, 'The pipeline has no price book, so nothing has a price.');
    else if (!currencies.has(money.currency))
      refuse(
        `${pointer}/currency`,
        `${money.currency} is not a currency of ISO 4217 in circulation; the price book is in ${currency}.`,
      );
    else if (money.currency !== currency) refuse(`${pointer}/currency`, `The price book is in ${currency}.`);
  }
  return refusals;
}
