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
  return books
    .slice(inForce + 1)
    .reduce(
      (before, book, index) => pricedAfter(before, books[inForce + index], book, changedMs(book)),
      metered,
    );
}

/** `before`: undefined of the first. */
function pricedAfter(
  { state: open, durable }: Metered,
  before: PriceBook | undefined,
  after: PriceBook,
  changedMs: number,
): Metered {
  const provisioned = provisionedBy(before);
  // Where only prices change the minute goes on, and what it has not used yet is still there.
  const state = isDeepStrictEqual(provisioned, after.provisioned)
    ? open
    : settleBeforeChange(open, provisioned, changedMs);
  const { version } = after;
  // Of another currency only where nothing had been spent: what a tick brought in that moment is the new one's.
  if (before?.currency !== after.currency)
    return { state, durable: { ...durable, live: { version, past: null } } };
  const usage = meteredOf(state, LIVE, provisioned, changedMs);
  const past = recordOfPast(pastOf(usage, priceWithPast(usage, pricesOf(before), livePast(durable))));
  return { state, durable: { ...durable, live: { version, past } } };
}

/** Before the first book nothing is. */
export function provisionedBy(book: PriceBook | undefined): PriceBook['provisioned'] {
  return book?.provisioned ?? { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 };
}

/** What live came to under the books before; null: there were none. */
export function livePast({ live }: Durable): PricedPast | null {
  return live?.past == null ? null : pastOfRecord(live.past);
}
