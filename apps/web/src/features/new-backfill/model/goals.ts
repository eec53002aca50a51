/** A time or an amount instead of a rate: the quote solves it to one. */
import type { StartBackfill } from '@spillway/shared/api/backfill';
import type { Quote, QuoteRequest } from '@spillway/shared/api/quote';
import { hourMs } from '../../../lib/duration.ts';
import { fromInput, isoInstant, toInput } from '../../../lib/instant.ts';
import { parseTypedMoney } from '../../../lib/money.ts';
import { bodyOf, type Draft } from './draft.ts';

/** The dry run of a draft. Null: its goal does not stand (yet). */
export function quoteBodyOf(
  draft: Draft,
  pipelineId: string,
  allSourceIds: readonly string[],
  currency: string | null,
): QuoteRequest | null {
  // Why it is done changes nothing of what it costs, and would be quoted again with every letter.
  const body = bodyOf({ ...draft, reason: '' }, pipelineId, allSourceIds, currency);
  if (draft.limitBy === 'finish') {
    const ms = fromInput(draft.finishBy);
    return ms === null ? null : { ...body, finishBy: isoInstant(ms) };
  }
  if (draft.limitBy === 'cost') {
    const maxCost = currency === null ? null : parseTypedMoney(draft.maxCost, currency);
    return maxCost === null ? null : { ...body, maxCost };
  }
  return body;
}

export function isGoal({ limitBy }: Draft): boolean {
  return limitBy === 'finish' || limitBy === 'cost';
}

/** The body that starts what was quoted: a goal has become a rate. */
export function startBodyOf(
  draft: Draft,
  quote: Pick<Quote, 'id' | 'limits'> | null,
  pipelineId: string,
  allSourceIds: readonly string[],
  currency: string | null,
): StartBackfill {
  const body = bodyOf(draft, pipelineId, allSourceIds, currency);
  if (quote === null) return body;
  const solved = isGoal(draft) ? { eventsPerSecond: quote.limits.eventsPerSecond } : {};
  return { ...body, limits: { ...body.limits, ...solved }, quoteId: quote.id };
}

/** A choice of what limits it; a time is suggested, so that the choice is answered at once. */
export function limitedBy(limitBy: Draft['limitBy'], draft: Draft, nowMs = Date.now()): Partial<Draft> {
  const soonest = finishSuggestions(nowMs)[0];
  return limitBy === 'finish' && draft.finishBy === '' && soonest !== undefined
    ? { limitBy, finishBy: toInput(soonest.ms) }
    : { limitBy };
}

/** Times that people mean when they say "by": soon, by the end of a shift, before the day begins. Whole minutes, UTC. */
export function finishSuggestions(nowMs: number): readonly { readonly words: string; readonly ms: number }[] {
  const minute = Math.ceil(nowMs / 60_000) * 60_000;
  const morning = new Date(nowMs);
  morning.setUTCHours(6, 0, 0, 0);
  const next = morning.getTime() > nowMs + hourMs ? morning.getTime() : morning.getTime() + 24 * hourMs;
  return [
    { words: 'In 1 h', ms: minute + hourMs },
    { words: 'In 8 h', ms: minute + 8 * hourMs },
    { words: '06:00', ms: next },
  ];
}
