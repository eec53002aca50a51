import type { Problem, QuoteProblemCode } from '@spillway/shared/api/problem';
import type { GoalAnswer, Quote } from '@spillway/shared/api/quote';
import {
  formatBytes,
  formatCount,
  formatEstimate,
  formatMs,
  formatRate,
  groupDigits,
  unknown,
} from '../../../lib/format.ts';
import { formatInstant, plainTimes } from '../../../lib/instant.ts';
import { formatMoney } from '../../../lib/money.ts';

type Warning = Quote['warnings'][number];

/** What could hurt stands above what is only good to know. Every code has its place: one that is new does not compile without. */
const loudness: Readonly<Record<Warning['code'], 'loud' | 'quiet'>> = {
  window_clipped: 'quiet',
  source_left_out: 'quiet',
  no_statistics: 'quiet',
  source_failed: 'loud',
  events_unknown: 'loud',
  coefficients_assumed: 'quiet',
  few_runs: 'quiet',
  items_unknown: 'quiet',
  capacity_unknown: 'loud',
  no_worker: 'loud',
  nothing_left: 'loud',
  never_ends: 'loud',
  live_unknown: 'quiet',
  rate_above_fastest: 'loud',
  rate_above_safe: 'loud',
  stream_fills: 'loud',
  stream_over_retention: 'loud',
  goal_impossible: 'loud',
  goal_tight: 'quiet',
  budget_too_small: 'loud',
  overlaps: 'loud',
  example_prices: 'quiet',
};

export function isLoud({ code }: Warning): boolean {
  return loudness[code] === 'loud';
}

/** A sentence of the server's, its numbers and times as people read them. */
export function sentenceText(detail: string): string {
  return plainTimes(groupDigits(detail));
}

/** Overlaps and impossible goals have places of their own. */
export function otherWarnings(quote: Quote): readonly Warning[] {
  return quote.warnings
    .filter(({ code }) => code !== 'overlaps' && !(code === 'goal_impossible' && quote.goal !== null))
    .toSorted((a, b) => Number(isLoud(b)) - Number(isLoud(a)));
}

const NO_CALENDAR_MS = Date.UTC(9_999, 0);

/** The end as a moment: today's clock where it is near, the date where it is not. UTC. */
export function finishText(durationSeconds: number, nowMs: number): string {
  const ms = nowMs + durationSeconds * 1_000;
  if (!(ms < NO_CALENDAR_MS)) return unknown;
  return `${formatInstant(Math.round(ms / 60_000) * 60_000)} UTC`;
}

export function neverEnds({ warnings }: Pick<Quote, 'warnings'>): boolean {
  return warnings.some(({ code }) => code === 'never_ends');
}

/** Why there is no cost; empty where a warning alone says it. */
export function costMissing(quote: Quote): string {
  if (neverEnds(quote)) return 'it never ends';
  return quote.durationSeconds === null ? '' : 'there is no price book';
}

export function goalText(goal: GoalAnswer): string {
  const finishMs = Math.round(Date.parse(goal.finishAt) / 60_000) * 60_000;
  const end = finishMs < NO_CALENDAR_MS ? `finished ${formatInstant(finishMs)} UTC` : 'which never ends';
  const nearest = `${formatRate(goal.eventsPerSecond)}, ${end}${goal.cost === null ? '' : `, for ${formatMoney(goal.cost)} of spend`}`;
  return goal.met ? `Met at ${nearest}.` : `Impossible. The nearest: ${nearest}.`;
}

/** The server's reason, without the verdict that stands before it already. */
export function goalDetail({ detail }: GoalAnswer): string {
  const reason = sentenceText(detail.replace(/^Impossible: /, ''));
  return `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}`;
}

export interface RouteLine {
  readonly title: string;
  readonly separate: string;
  readonly shared: string;
}

export function routeLines({ separate, shared }: Quote['route']): readonly RouteLine[] {
  type Forecast = NonNullable<typeof separate>;
  const line = (title: string, words: (forecast: Forecast) => string): RouteLine => ({
    title,
    separate: separate === null ? unknown : words(separate),
    shared: shared === null ? unknown : words(shared),
  });
  return [
    line('Takes', ({ durationSeconds }) =>
      durationSeconds === null ? 'never ends' : formatEstimate(durationSeconds),
    ),
    line('Live freshness, worst', ({ liveFreshnessMs }) =>
      liveFreshnessMs === null ? 'falls ever further behind' : formatMs(liveFreshnessMs),
    ),
    line(
      'Peak on the stream',
      ({ peakStreamLength, peakStreamBytes }) =>
        `${formatCount(Math.ceil(peakStreamLength))} entries, ${formatBytes(peakStreamBytes)}`,
    ),
    line('High-water mark', ({ reachesHighWaterMark }) =>
      reachesHighWaterMark ? 'reached: the reader waits' : 'not reached',
    ),
  ];
}

/** Room on the stream, and what a broker or consumers of one's own have to do for it. */
export function streamText({ detail, trim }: NonNullable<Quote['stream']>): string {
  const keep = `${formatCount(trim.keepEntries)} entries, ${formatBytes(trim.keepBytes)}, ${formatMs(trim.keepMs)}`;
  return `${sentenceText(detail)} Trim what is applied every ${formatMs(trim.everyMs)}; a retention of the broker's own keeps at least ${keep}.`;
}

/** Of a start that named a quote: does it take another quote, or another request? */
const quoteProblems: Readonly<Record<QuoteProblemCode, { readonly title: string } | 'in_the_request'>> = {
  quote_drifted: { title: 'what the quote rested on has changed' },
  quote_expired: { title: 'the quote has expired' },
  unknown_quote: { title: 'the quote is not kept any more' },
  quote_mismatch: { title: 'the quote is of another backfill than this' },
  invalid_goal: 'in_the_request',
};

export interface BrokenQuote {
  readonly title: string;
  readonly reasons: readonly string[];
}

/** Why the quote does not hold any more, when a start was refused for that; null: it was refused for something else, or not at all. */
export function brokenQuote(problem: Pick<Problem, 'code' | 'detail' | 'errors'> | null): BrokenQuote | null {
  const known = quoteProblems[problem?.code as QuoteProblemCode];
  if (problem === null || known === undefined || known === 'in_the_request') return null;
  const several = problem.code === 'quote_drifted' || problem.code === 'quote_mismatch';
  const reasons = several ? problem.errors.map(({ detail }) => detail) : [];
  return {
    title: known.title,
    reasons: (reasons.length > 0 ? reasons : [problem.detail]).map(sentenceText),
  };
}
