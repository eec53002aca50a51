/**
 * From a goal to a rate, in whole events/s, by halving.
 *
 *     finishBy   the lowest rate that ends in time: any higher one has a higher peak
 *     maxCost    the highest rate whose spend is within it: any lower one takes longer
 *
 * Time falls with the rate. Spend rises with it where overage does, and falls where CPU goes with time: so it is looked at on a ladder of rates
 * first, and halved between two of its rungs.
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
  const spendAt = (rate: number) => priceAt(rate).priced.spend;
  const rungs = ladder(highest);
  const cheapest = cheapestOf(rungs, spendAt);
  const least = spendAt(cheapest);
  const met = least <= goal.spend;
  const at = priceAt(fastestWithin(met ? goal.spend : least, [...rungs, cheapest], spendAt));
  return {
    met,
    at,
    detail: met
      ? `${at.eventsPerSecond} events/s is the fastest rate within it.`
      : `Impossible: the least it can cost is ${amountText(least)}${currency === null ? '' : ` ${currency}`}, up to ${at.eventsPerSecond} events/s.`,
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

const RUNGS = 64;

/** Rates from 1 to the highest in about equal ratios, rising. */
function ladder(highest: number): number[] {
  return [
    ...new Set(Array.from({ length: RUNGS }, (_, rung) => Math.round(highest ** (rung / (RUNGS - 1))))),
  ];
}

/** Of the rates between the rungs, too: around the cheapest rung spend falls on the one side and rises on the other. */
function cheapestOf(rungs: readonly number[], spendAt: (rate: number) => Atoms): number {
  const cheaper = (a: number, b: number) => (spendAt(b) < spendAt(a) ? b : a);
  const rung = rungs.reduce(cheaper);
  const at = rungs.indexOf(rung);
  let [low, high] = [rungs[at - 1] ?? rung, rungs[at + 1] ?? rung];
  while (high - low > 2) {
    const third = Math.floor((high - low) / 3);
    if (spendAt(low + third) <= spendAt(high - third)) high -= third;
    else low += third;
  }
  return [Math.min(low + 1, high), high].reduce(cheaper, rung);
}

/** The highest rate up to which, from the highest of `rates` that is within it, all are. One of them is. */
function fastestWithin(spend: Atoms, rates: readonly number[], spendAt: (rate: number) => Atoms): number {
  const rising = rates.toSorted((a, b) => a - b);
  const at = rising.findLastIndex((rate) => spendAt(rate) <= spend);
  let good = rising[at] as number;
  let fails = rising[at + 1] ?? good + 1;
  while (fails - good > 1) {
    const middle = Math.floor((fails + good) / 2);
    if (spendAt(middle) <= spend) good = middle;
    else fails = middle;
  }
  return good;
}
