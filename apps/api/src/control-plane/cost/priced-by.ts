/**
 * A change of the price book while things go on. What was used until then is settled with what was provisioned until then; what live, which has no
 * end, came to stays at the prices it was metered under. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { PriceBook } from '@spillway/shared/api/cost';
import { pricesOf } from '@spillway/shared/cost/items';
import { meteredOf, settleBeforeChange } from '@spillway/shared/cost/meter';
import {
  type PricedPast,
  pastOf,
  pastOfRecord,
  priceWithPast,
  recordOfPast,
} from '@spillway/shared/cost/priced-past';
import { LIVE } from '@spillway/shared/cost/slots';
import type { Durable, Meter } from './meter-book.ts';

type Metered = Pick<Meter, 'state' | 'durable'>;

/** `books`: every version, the newest last. Nothing changes while that is the one live is priced by already. */
export function pricedBy(
  metered: Metered,
  books: readonly PriceBook[],
  changedMs: (book: PriceBook) => number,
): Metered {
  const inForce = books.findIndex(({ version }) => version === metered.durable.live?.version);
  const newest = books.at(-1);
  if (inForce < 0) return newest === undefined ? metered : pricedFrom(metered, newest);
  return books
    .slice(inForce + 1)
    .reduce(
      (before, book, index) =>
        pricedAfter(before, books[inForce + index] as PriceBook, book, changedMs(book)),
      metered,
    );
}

function pricedFrom({ state, durable }: Metered, { version }: PriceBook): Metered {
  return { state, durable: { ...durable, live: { version, past: null } } };
}

function pricedAfter(metered: Metered, before: PriceBook, after: PriceBook, changedMs: number): Metered {
  // Where only prices change the minute goes on, and what it has not used yet is still there.
  const state = isDeepStrictEqual(before.provisioned, after.provisioned)
    ? metered.state
    : settleBeforeChange(metered.state, before.provisioned, changedMs);
  const { durable } = metered;
  // Of another currency only where nothing had been spent: what a tick brought in that moment is the new one's.
  if (before.currency !== after.currency) return pricedFrom({ state, durable }, after);
  const usage = meteredOf(state, LIVE, before.provisioned, changedMs);
  const past = pastOf(usage, priceWithPast(usage, pricesOf(before), livePast(durable)));
  return { state, durable: { ...durable, live: { version: after.version, past: recordOfPast(past) } } };
}

/** What live came to under the books before; null: there were none. */
export function livePast({ live }: Durable): PricedPast | null {
  return live?.past == null ? null : pastOfRecord(live.past);
}
