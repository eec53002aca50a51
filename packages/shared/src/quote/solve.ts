/**
 * From a goal to a rate, in whole events/s, by halving: time falls and spend rises with the rate.
 *
 *     finishBy   the lowest rate that ends in time: any higher one has a higher peak and no lower cost
 *     maxCost    the highest rate whose spend is within it: any lower one takes longer
 *
 * A goal nothing meets is answered with the nearest: the fastest rate there is; or, of the rates with the lowest spend, the fastest. Goals are
 * about what is likely; whoever wants more certainty asks for an earlier time or less money.
 */
import type { Atoms } from '../cost/money.ts';
import { amountText } from '../cost/money-text.ts';
import { spanText } from '../time/span.ts';
import type { RatePrice } from './price-rate.ts';

export type Goal =
  | { readonly kind: 'finish_by'; readonly withinSeconds: number }
  | { readonly kind: 'max_cost'; readonly spend: Atoms };

export interface Solved {
  readonly met: boolean;
  readonly at: RatePrice;
  readonly detail: string;
}

/** `likelySeconds`: of a rate, with what has been learned; `fastest`: the highest rate there is, at least 1 event/s; `currency`: for the words. */
export function solveGoal(
  goal: Goal,
  fastest: number,
  priceAt: (eventsPerSecond: number) => RatePrice,
  likelySeconds: (at: RatePrice) => number,
  currency: string | null,
): Solved {
  const highest = Math.max(1, Math.floor(fastest));
  if (goal.kind === 'finish_by') {
    const inTime = (rate: number) => likelySeconds(priceAt(rate)) <= goal.withinSeconds;
    if (!inTime(highest)) {
      const at = priceAt(highest);
      return {
        met: false,
        at,
        detail: `Impossible: at ${highest} events/s, the fastest there is, it takes ${tookText(likelySeconds(at))}, and there are ${spanText(goal.withinSeconds * 1_000)}.`,
      };
    }
    const rate = lowest(highest, inTime);
    return { met: true, at: priceAt(rate), detail: `${rate} events/s is the lowest rate that ends in time.` };
  }
  // Time falls with the rate: where the fastest does not end, none does, and no spend is that of all of it.
  if (!Number.isFinite(likelySeconds(priceAt(highest))))
    return {
      met: false,
      at: priceAt(highest),
      detail: `Impossible: up to ${highest} events/s, the fastest there is, it never ends.`,
    };
  const within = (spend: Atoms) => highestWhere(highest, (rate) => priceAt(rate).priced.spend <= spend);
  const rate = within(goal.spend);
  if (rate !== null)
    return { met: true, at: priceAt(rate), detail: `${rate} events/s is the fastest rate within it.` };
  const least = priceAt(1).priced.spend;
  const at = priceAt(within(least) ?? 1);
  return {
    met: false,
    at,
    detail: `Impossible: the least it can cost is ${amountText(least)}${currency === null ? '' : ` ${currency}`}, up to ${at.eventsPerSecond} events/s.`,
  };
}

/** Rounded up, so that what takes longer than there is time does not read the same. */
function tookText(seconds: number): string {
  return Number.isFinite(seconds) ? spanText(Math.ceil(seconds) * 1_000) : 'for ever';
}

/** `highest` is known to hold, and what holds at one rate holds at every higher one. */
function lowest(highest: number, holds: (rate: number) => boolean): number {
  let fails = 0;
  let good = highest;
  while (good - fails > 1) {
    const middle = Math.floor((fails + good) / 2);
    if (holds(middle)) good = middle;
    else fails = middle;
  }
  return good;
}

/** What holds at one rate holds at every lower one; null: not at 1. */
function highestWhere(highest: number, holds: (rate: number) => boolean): number | null {
  if (!holds(1)) return null;
  return lowest(highest + 1, (rate) => rate > highest || !holds(rate)) - 1;
}
