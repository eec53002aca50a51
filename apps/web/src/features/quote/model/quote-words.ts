import type { Problem } from '@spillway/shared/api/problem';
import type { GoalAnswer, Quote } from '@spillway/shared/api/quote';
import { formatBytes, formatCount, formatMs, formatRate, formatSpan, unknown } from '../../../lib/format.ts';
import { formatInstant } from '../../../lib/instant.ts';
import { formatMoney } from '../../../lib/money.ts';

type Warning = Quote['warnings'][number];

/** What could hurt stands above what is only good to know. */
const loudCodes: ReadonlySet<Warning['code']> = new Set([
  'rate_above_safe',
  'stream_over_retention',
  'goal_impossible',
  'budget_too_small',
  'events_unknown',
  'stream_fills',
  'overlaps',
]);

export function isLoud({ code }: Warning): boolean {
  return loudCodes.has(code);
}

/** Overlaps and impossible goals have places of their own. */
export function otherWarnings(quote: Quote): readonly Warning[] {
  return quote.warnings
    .filter(({ code }) => code !== 'overlaps' && !(code === 'goal_impossible' && quote.goal !== null))
    .toSorted((a, b) => Number(isLoud(b)) - Number(isLoud(a)));
}

/** The end as a moment: today's clock where it is near, the date where it is not. UTC. */
export function finishText(durationSeconds: number, nowMs: number): string {
  const ms = nowMs + durationSeconds * 1_000;
  if (!(ms < Date.UTC(9_999, 0))) return unknown;
  return `${formatInstant(Math.round(ms / 60_000) * 60_000)} UTC`;
}

export function goalText(goal: GoalAnswer): string {
  const nearest = `${formatRate(goal.eventsPerSecond)}, finished ${formatInstant(Math.round(Date.parse(goal.finishAt) / 60_000) * 60_000)} UTC, for ${formatMoney(goal.cost)}`;
  return goal.met ? `Met at ${nearest} of spend.` : `Impossible. The nearest: ${nearest} of spend.`;
}

/** The server's reason, without the verdict that stands before it already. */
export function goalDetail({ detail }: GoalAnswer): string {
  const reason = detail.replace(/^Impossible: /, '');
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
      durationSeconds === null ? 'never ends' : formatSpan(durationSeconds * 1_000),
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

/** What has changed since the quote, when a start was refused for it; null: it was refused for something else, or not at all. */
export function driftsOf(
  problem: Pick<Problem, 'code' | 'detail' | 'errors'> | null,
): readonly string[] | null {
  if (problem?.code !== 'quote_drifted') return null;
  return problem.errors.length > 0 ? problem.errors.map(({ detail }) => detail) : [problem.detail];
}
