/** What a backfill is expected to cost, as it starts: every one has an estimate to be compared with, also one that nobody asked a quote for. */
import type { Limits } from '@spillway/shared/api/backfill';
import { type Estimate, estimateOf } from '@spillway/shared/quote/estimate';
import { reckon } from '@spillway/shared/quote/quote';
import type { PlannedRequest } from '../backfill/request.ts';
import type { ControlContext } from '../context.ts';
import type { Transaction } from '../database/database.ts';
import { quoteInputsOf } from './assemble.ts';
import { readFacts } from './facts.ts';
import { holdToQuote, type KeptQuote, sameRate } from './hold-to.ts';

/**
 * Without a price book it is of events and time alone. Of a quote that holds, at the rate that was quoted, it is the quote's own; at another rate it is reckoned anew.
 * `except`: the backfill itself, when it is planned anew. Errors: those of `holdToQuote`.
 */
export async function estimateStart(
  ctx: ControlContext,
  tx: Transaction,
  start: {
    readonly planned: PlannedRequest;
    readonly limits: Limits;
    readonly quote: KeptQuote | null;
    readonly except?: string;
  },
): Promise<Estimate> {
  const { planned, limits, quote } = start;
  const facts = await readFacts(ctx, tx, planned, limits, start.except ?? null);
  if (quote !== null) holdToQuote(quote, facts);
  if (quote !== null && sameRate(quote.limits, limits)) return quote.estimate;
  return estimateOf(reckon(quoteInputsOf(facts, null)), {
    quoteId: quote?.id ?? null,
    madeAt: new Date(facts.nowMs).toISOString(),
    late: false,
  });
}
