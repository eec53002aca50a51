/**
 * The spend at completion: what is spent, what is owed for the proof of it, and what is left at what an event has come to. The run believes its
 * estimate, in which its proof is, at first and itself later:
 *
 *     per event = (spent + owed + k · estimate per event) / (handled + k),  k = 5 % of the events
 *     low, high = spent + owed + left · per event · the factors of the estimate's range
 *
 * so the range closes as the run nears its end, and never lies below what is spent. Without what is owed it would close on the cost of a run that nobody proves.
 */
import { type Atoms, priceOf, scaled } from './money.ts';
import type { Factors } from './spread.ts';

const BELIEVED_PART = 20n;

export interface ForecastInputs {
  readonly spent: Atoms;
  /** What the proof of what is done will still come to; 0: it is proved, or never will be. */
  readonly owed: Atoms;
  /** In all readings. */
  readonly eventsHandled: bigint;
  /** Of the total; what is read again is done when it is handled again. */
  readonly eventsDone: bigint;
  /** low ≤ likely ≤ high; equal where they are counted. */
  readonly eventsTotal: { readonly low: bigint; readonly likely: bigint; readonly high: bigint };
  /** Of the quote, for the likely events; null: there was none. */
  readonly estimate: Atoms | null;
  readonly factors: Factors;
}

export interface SpendRange {
  readonly low: Atoms;
  readonly likely: Atoms;
  readonly high: Atoms;
}

/** Null: nothing is done and nothing was estimated. */
export function forecastSpend(inputs: ForecastInputs): SpendRange | null {
  const { eventsHandled, eventsDone, eventsTotal, estimate, factors } = inputs;
  const total = eventsTotal.likely > 0n ? eventsTotal.likely : 1n;
  const believed = estimate === null ? 0n : 1n + total / BELIEVED_PART;
  const weight = eventsHandled + believed;
  if (weight <= 0n) return null;
  const committed = inputs.spent + inputs.owed;
  const base = committed + priceOf(estimate ?? 0n, believed, total);
  const atEnd = (events: bigint, factor: number) => {
    const left = events > eventsDone ? events - eventsDone : 0n;
    return committed + scaled(priceOf(base, left, weight), factor);
  };
  return {
    low: atEnd(eventsTotal.low, factors.low / factors.likely),
    likely: atEnd(eventsTotal.likely, 1),
    high: atEnd(eventsTotal.high, factors.high / factors.likely),
  };
}
