/**
 * What moves all the time (the live rate, what has been learned) or may be changed without a word to the quote (freshness target, retention) drifts a
 * quote only where it moves what was promised. So it is not compared: at the start the same is quoted anew, and what is likely now is held to what was
 * quoted.
 *
 *     time     drifted outside its low..high
 *     cost     outside its low..high; spend, where that is overage, by more than the cost may be off: overage alone may be as good as nothing
 *     stream   what fitted does not fit any more
 *
 * The ranges are as wide as the runs of the pipeline scatter, so what lies within them is noise, and does not drift a quote; nor does what had no range,
 * which promised nothing. What moved is named with it.
 */
import type { PriceBook } from '../api/cost.ts';
import type { Quote } from '../api/quote.ts';
import { estimatedSpend } from '../cost/estimated-spend.ts';
import { type Atoms, atomsOf, moneyOf } from '../cost/money.ts';
import { moneyText } from '../cost/money-text.ts';
import { type UsageCounter, usageCounters } from '../cost/usage.ts';
import { spanText } from '../time/span.ts';
import type { Drift, Moving } from './drift.ts';
import type { Estimate } from './estimate.ts';
import type { QuoteInputs } from './quote-inputs.ts';

export interface Outcome {
  readonly estimate: Pick<Estimate, 'cost' | 'durationSeconds'>;
  /** Null: of a quote made before that was kept. */
  readonly moving: Moving | null;
}

export function movingOf(
  { liveEventsPerSecond, retention, coefficients }: QuoteInputs,
  freshnessTargetMs: number | null,
  { stream }: Pick<Quote, 'stream'>,
): Moving {
  const learned: Partial<Record<UsageCounter | 'duration', number>> = {
    duration: coefficients.duration.likely,
  };
  for (const counter of usageCounters) {
    const known = coefficients.counters[counter];
    if (known !== undefined) learned[counter] = known.use * known.factors.likely;
  }
  return { liveEventsPerSecond, freshnessTargetMs, retention, learned, fits: stream?.fits ?? null };
}

/** Empty: it holds. Else what does not, and then what has moved, the pointers of both into the quote. */
export function outcomeDrift(
  quoted: Outcome,
  now: Outcome,
  spendCounts: PriceBook['spendCounts'] | null,
): Drift[] {
  const broken = [
    ...ofTime(quoted.estimate.durationSeconds, now.estimate.durationSeconds),
    ...ofCost(quoted.estimate.cost, now.estimate.cost, spendCounts),
    ...(quoted.moving?.fits === true && now.moving?.fits === false
      ? [{ pointer: '/stream', detail: 'The stream had room for its peak when quoted, and has none now.' }]
      : []),
  ];
  return broken.length === 0 ? [] : [...broken, ...movedBetween(quoted.moving, now.moving)];
}

function* ofTime(before: Quote['durationSeconds'], after: Quote['durationSeconds']): Generator<Drift> {
  if (before === null) return;
  const { low, likely, high } = before;
  if (after !== null && after.likely >= low && after.likely <= high) return;
  const text = (seconds: number) => spanText(Math.round(seconds) * 1_000);
  yield {
    pointer: '/durationSeconds',
    detail: `Likely time: ${text(likely)} (${text(low)} to ${text(high)}) when quoted, ${after === null ? 'unknown' : text(after.likely)} now.`,
  };
}

function* ofCost(
  before: Estimate['cost'],
  after: Estimate['cost'],
  spendCounts: PriceBook['spendCounts'] | null,
): Generator<Drift> {
  if (before === null) return;
  const { currency } = before.likely;
  const text = (atoms: Atoms) => moneyText(moneyOf(atoms, currency));
  const [low, likely, high] = [before.low, before.likely, before.high].map(atomsOf) as [Atoms, Atoms, Atoms];
  const cost = after && atomsOf(after.likely);
  if (cost === null || cost < low || cost > high) {
    yield {
      pointer: '/cost',
      detail: `Likely cost: ${text(likely)} (${text(low)} to ${text(high)}) when quoted, ${cost === null ? 'unknown' : text(cost)} now.`,
    };
    return;
  }
  if (after === null || spendCounts !== 'overage') return;
  const [was, is] = [estimatedSpend(before, spendCounts), estimatedSpend(after, spendCounts)];
  if (is - was > high - likely || was - is > likely - low)
    yield { pointer: '/cost', detail: `Likely overage: ${text(was)} when quoted, ${text(is)} now.` };
}

/** Less is noise, and not worth naming beside what made the difference. */
const MOVED_PART = 0.1;

function* movedBetween(before: Moving | null, after: Moving | null): Generator<Drift> {
  if (before === null || after === null) return;
  const numbers: [string, string, number | null, number | null][] = [
    ['/liveEventsPerSecond', 'Live, events/s', before.liveEventsPerSecond, after.liveEventsPerSecond],
    ['/freshnessTargetMs', 'Target of live freshness, ms', before.freshnessTargetMs, after.freshnessTargetMs],
    ...(['ms', 'entries', 'bytes'] as const).map((of): [string, string, number | null, number | null] => [
      `/retention/${of}`,
      `Retention of the stream, ${of}`,
      before.retention[of],
      after.retention[of],
    ]),
    ...(['duration', ...usageCounters] as const).map(
      (what): [string, string, number | null, number | null] => [
        `/learned/${what}`,
        what === 'duration' ? 'Learned of time, as a ratio to the model' : `Learned ${what} an event`,
        before.learned[what] ?? null,
        after.learned[what] ?? null,
      ],
    ),
  ];
  for (const [pointer, what, was, is] of numbers)
    if (moved(was, is)) yield { pointer, detail: `${what}: ${figure(was)} when quoted, ${figure(is)} now.` };
}

function moved(was: number | null, is: number | null): boolean {
  if (was === null || is === null) return was !== is;
  return Math.abs(is - was) > MOVED_PART * Math.abs(was);
}

function figure(value: number | null): string {
  return value === null ? 'unknown' : String(Number(value.toPrecision(4)));
}
