/** What is kept of a quote with the backfill it was for: compared with what the run comes to, and learned from. */
import type { EstimatedCost } from '../api/cost.ts';
import type { Quote, QuoteWarningCode } from '../api/quote.ts';
import type { FinishedRun } from '../cost/coefficients.ts';
import type { EventRange } from './event-range.ts';
import type { Reckoning } from './quote.ts';

export interface EstimateMade {
  /** The quote that the start named; null: reckoned for the backfill itself. */
  readonly quoteId: string | null;
  /** RFC 3339. */
  readonly madeAt: string;
  /** What it takes was not known at the start, and came while the backfill was under way. */
  readonly late: boolean;
}

export interface Estimate extends EstimateMade {
  /** Null: the events or the capacity were not known, or at its rate it never ends. */
  readonly cost: EstimatedCost | null;
  /** Why there is none; null: there is one. */
  readonly missing: string | null;
  /** Null: nothing was known of how many; absent: made before that was kept. */
  readonly events?: EventRange | null;
  readonly durationSeconds: Quote['durationSeconds'];
  /** What the model alone says of this rate, before anything learned: a finished run is learned as a ratio to it. */
  readonly modelled: FinishedRun['modelled'] | null;
}

export function estimateOf({ quote, modelled }: Reckoning, made: EstimateMade): Estimate {
  const { cost, durationSeconds, events } = quote;
  const missing = cost === null ? whyMissing(quote) : null;
  return { ...made, cost, missing, events, durationSeconds, modelled };
}

const reasons: ReadonlySet<QuoteWarningCode> = new Set([
  'events_unknown',
  'capacity_unknown',
  'nothing_left',
  'never_ends',
]);

function whyMissing({ warnings }: Reckoning['quote']): string {
  const said = warnings.filter(({ code }) => reasons.has(code)).map(({ detail }) => detail);
  return said.length > 0 ? said.join(' ') : 'Nothing has a price: the pipeline has no price book.';
}
