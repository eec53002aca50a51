/** A start that names a quote is held to it: the same request, in time, and nothing it rested on has changed. */
import type { Limits, StartBackfill } from '@spillway/shared/api/backfill';
import type { Problem } from '@spillway/shared/api/problem';
import { type Drift, driftOf, type QuoteBasis, type QuotedRequest } from '@spillway/shared/quote/drift';
import type { Estimate } from '@spillway/shared/quote/estimate';
import { outcomeDrift } from '@spillway/shared/quote/outcome-drift';
import { reckon } from '@spillway/shared/quote/quote';
import { formatDuration } from '@spillway/shared/time/duration';
import { eq } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { quotes } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { basisOf, movingIn, quoteInputsOf, requestOf } from './assemble.ts';
import type { QuoteFacts } from './facts.ts';

export interface KeptQuote {
  readonly id: string;
  readonly request: QuotedRequest;
  /** As solved. */
  readonly limits: Limits;
  readonly basis: QuoteBasis;
  readonly estimate: Estimate;
  readonly expiresAt: Date;
}

/** Locked: of two starts at once the second sees the backfill of the first, which overlaps it. Errors: `unknown_quote`. */
export async function findQuote(tx: Transaction, quoteId: string): Promise<KeptQuote> {
  const [row] = await tx.select().from(quotes).where(eq(quotes.id, quoteId)).for('update');
  if (row === undefined)
    throw new ProblemError(
      'unknown_quote',
      `There is no quote ${quoteId}; those that expired a day ago are removed.`,
      { pointer: '/quoteId' },
    );
  return row;
}

/** The limits as the quote has solved them, where the start does not say otherwise. A rate or a share that is named replaces both. */
export function limitsAsQuoted(quote: KeptQuote, limits: StartBackfill['limits']): StartBackfill['limits'] {
  const { eventsPerSecond, share, concurrency, budget } = quote.limits;
  const named = limits?.eventsPerSecond !== undefined || limits?.share !== undefined;
  return { concurrency, budget, ...(named ? {} : { eventsPerSecond, share }), ...limits };
}

/**
 * Errors: `quote_expired`; `quote_mismatch` with a pointer to each field that asks for something else; `quote_drifted` with a pointer into what
 * it rested on for each thing that has changed; where only what moves all the time has, into what does not hold, and what moved.
 */
export function holdToQuote(quote: KeptQuote, facts: QuoteFacts): void {
  if (quote.expiresAt.getTime() <= facts.nowMs)
    throw new ProblemError(
      'quote_expired',
      `Quote ${quote.id} expired at ${quote.expiresAt.toISOString()}: ask for a new one.`,
      { pointer: '/quoteId' },
    );
  const mismatches = mismatchesOf(quote.request, requestOf(facts));
  if (mismatches.length > 0)
    throw new ProblemError('quote_mismatch', `Quote ${quote.id} is of another backfill.`, {
      errors: mismatches,
    });
  const changed = driftOf(quote.basis, basisOf(facts));
  const drifts = changed.length > 0 ? changed : outcomeDriftOf(quote, facts);
  if (drifts.length > 0)
    throw new ProblemError(
      'quote_drifted',
      `Quote ${quote.id} does not hold any more. ${drifts.map(({ detail }) => detail).join(' ')}`,
      { errors: drifts },
    );
}

/** The same is quoted anew, at the limits as they were solved. */
function outcomeDriftOf({ limits, estimate, basis }: KeptQuote, facts: QuoteFacts): Drift[] {
  const inputs = quoteInputsOf({ ...facts, limits }, null);
  const { quote } = reckon(inputs);
  return outcomeDrift(
    { estimate, moving: basis.moving ?? null },
    { estimate: quote, moving: movingIn(facts, inputs, quote) },
    facts.priceBook?.spendCounts ?? null,
  );
}

/** Same rate and share: what was quoted is what is started. */
export function sameRate(a: Limits, b: Limits): boolean {
  return a.eventsPerSecond === b.eventsPerSecond && a.share === b.share;
}

function mismatchesOf(quoted: QuotedRequest, asked: QuotedRequest): Problem['errors'] {
  const errors: { pointer: string; detail: string }[] = [];
  const compare = (pointer: string, was: string, is: string) => {
    if (was !== is) errors.push({ pointer, detail: `Quoted for ${was}, asked for ${is}.` });
  };
  compare('/pipelineId', quoted.pipelineId, asked.pipelineId);
  compare('/window/from', iso(quoted.window.from), iso(asked.window.from));
  compare('/window/to', iso(quoted.window.to), iso(asked.window.to));
  compare('/subwindow', formatDuration(quoted.subwindowMs), formatDuration(asked.subwindowMs));
  // All of a pipeline's sources, and one has come or gone: that is drift, not another request.
  if (quoted.sourcesNamed || asked.sourcesNamed)
    compare('/sourceIds', quoted.sourceIds.join(', '), asked.sourceIds.join(', '));
  return errors;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
