/** What is kept of a quote with the backfill it was for: compared with what the run comes to, and learned from. */
import type { EstimatedCost } from '../api/cost.ts';
import type { Quote } from '../api/quote.ts';
import type { FinishedRun } from '../cost/coefficients.ts';
import type { Reckoning } from './quote.ts';

export interface Estimate {
  /** The quote that the start named; null: made at the start. */
  readonly quoteId: string | null;
  /** Null: the events or the capacity were not known. */
  readonly cost: EstimatedCost | null;
  readonly durationSeconds: Quote['durationSeconds'];
  /** What the model alone says of this rate, before anything learned: a finished run is learned as a ratio to it. */
  readonly modelled: FinishedRun['modelled'] | null;
}

export function estimateOf({ quote, modelled }: Reckoning, quoteId: string | null): Estimate {
  const { cost, durationSeconds } = quote;
  return { quoteId, cost, durationSeconds, modelled };
}
