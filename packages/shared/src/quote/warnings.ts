/** What whoever starts a quoted backfill should know first, most of all where the quote itself is unsure. */
import type { EstimatedCost } from '../api/cost.ts';
import type { GoalAnswer, Quote } from '../api/quote.ts';
import { askedRate } from '../backfill/asked-rate.ts';
import { PAUSE_PART } from '../cost/budget.ts';
import { RUN_EVENTS_MIN } from '../cost/coefficients.ts';
import { atomsOf, moneyOf, scaled } from '../cost/money.ts';
import { moneyText } from '../cost/money-text.ts';
import { withoutWorker } from '../governor/decide.ts';
import { spanText } from '../time/span.ts';
import type { EventRange } from './event-range.ts';
import { ends, type RatePrice, streamPeakOf } from './price-rate.ts';
import type { QuoteInputs } from './quote-inputs.ts';
import { roomFor } from './stream-plan.ts';

export interface Answered {
  readonly events: EventRange | null;
  readonly at: RatePrice | null;
  readonly cost: EstimatedCost | null;
  readonly duration: Quote['durationSeconds'];
  readonly goal: GoalAnswer | null;
}

const FEW_RUNS = 3;

export function warningsOf(inputs: QuoteInputs, answered: Answered): Quote['warnings'] {
  return [
    ...inputs.planWarnings,
    ...ofWorkers(inputs),
    ...ofKnowledge(inputs, answered),
    ...ofEnd(answered),
    ...ofRate(inputs, answered),
    ...ofStream(inputs, answered),
    ...ofGoal(inputs, answered),
    ...(inputs.overlaps.length === 0
      ? []
      : [warning('overlaps', inputs.overlaps.map(({ detail }) => detail).join(' '))]),
  ];
}

type Warning = Quote['warnings'][number];

function warning(code: Warning['code'], detail: string): Warning {
  return { code, detail };
}

/** In the words that a backfill which waits for one says it in. */
function* ofWorkers(inputs: QuoteInputs): Generator<Warning> {
  if (inputs.replayWorkers === 0)
    yield warning('no_worker', `Once started it waits for a worker: ${withoutWorker(inputs).detail}.`);
}

function* ofKnowledge(inputs: QuoteInputs, { events, cost }: Answered): Generator<Warning> {
  const named = (basis: string) =>
    inputs.lanes
      .filter((lane) => lane.basis === basis)
      .map(({ sourceId }) => sourceId)
      .join(', ');
  if (named('estimated') !== '')
    yield warning('no_statistics', `Not counted, so the range is wider: ${named('estimated')}.`);
  for (const { sourceId, basis, failure } of inputs.lanes)
    if (failure != null && basis !== 'unknown')
      yield warning('source_failed', `${sourceId} has failed (${failure}): so would a backfill of it.`);
  if (events === null) yield warning('events_unknown', `${unknownWords(inputs)}: nothing can be reckoned.`);
  if (inputs.capacityEventsPerSecond === null)
    yield warning('capacity_unknown', 'The capacity has not been measured: no duration and no cost.');
  const { ceilingEventsPerSecond: ceiling } = inputs;
  if (inputs.capacityEventsPerSecond !== null && ceiling !== null && ceiling < 1)
    yield warning('nothing_left', 'Live takes all of the capacity, and replay has no floor: it would stand.');
  if (inputs.liveEventsPerSecond === null)
    yield warning('live_unknown', 'The live rate is not known now: reckoned as if there were no live.');
  if (cost === null) return;
  const { runs } = inputs.coefficients;
  if (runs === 0)
    yield warning(
      'coefficients_assumed',
      `No run of this pipeline with ${RUN_EVENTS_MIN} events or more has finished: use per event is assumed.`,
    );
  else if (runs < FEW_RUNS)
    yield warning(
      'few_runs',
      `Learned from ${runs === 1 ? 'one run' : `${runs} runs`} only: the range is wider.`,
    );
  const unknown = cost.items.filter(({ total }) => total === null).map(({ item }) => item);
  if (unknown.length > 0)
    yield warning('items_unknown', `Not measured, so not in the sum: ${unknown.join(', ')}.`);
  if (inputs.priceBook?.exampleOf)
    yield warning(
      'example_prices',
      `The prices are examples of ${inputs.priceBook.exampleOf}, not those of your bill.`,
    );
}

/** One that failed has been looked at, and what was found is what has to be mended. */
function unknownWords({ lanes }: QuoteInputs): string {
  const unknown = lanes.filter(({ basis }) => basis === 'unknown');
  const failed = unknown.map(({ sourceId, failure }) =>
    failure == null ? null : `${sourceId} has failed (${failure})`,
  );
  const unseen = unknown.filter(({ failure }) => failure == null).map(({ sourceId }) => sourceId);
  return [
    ...failed.filter((words) => words !== null),
    ...(unseen.length === 0 ? [] : [`Nobody has looked at ${unseen.join(', ')} yet`]),
  ].join('. ');
}

function* ofEnd({ at }: Answered): Generator<Warning> {
  if (at === null || ends(at)) return;
  const { publishedEventsPerSecond: published, peakUnapplied } = at.pace;
  if (published === 0)
    yield warning('never_ends', 'At 0 events/s nothing is replayed and nothing is spent: it never ends.');
  else
    yield warning(
      'never_ends',
      `${peakUnapplied > 0 ? 'Live leaves the store nothing for replay' : 'At so low a rate there is no calendar for it'}: it never ends, and there is no telling what it costs.`,
    );
}

function* ofRate(inputs: QuoteInputs, { at }: Answered): Generator<Warning> {
  const asked = inputs.goal === null ? askedRate(inputs.limits, inputs) : null;
  if (at === null || asked === null || asked <= at.eventsPerSecond) return;
  yield warning(
    'rate_above_fastest',
    `${Math.round(asked)} events/s is more than the ${Math.round(at.eventsPerSecond)} that there can be at most: all of this is reckoned with those.`,
  );
}

function* ofStream(inputs: QuoteInputs, { at }: Answered): Generator<Warning> {
  if (at === null) return;
  const { pace } = at;
  const safe = inputs.safeRate.eventsPerSecond;
  if (safe !== null && at.eventsPerSecond > safe)
    yield warning(
      'rate_above_safe',
      `${Math.round(at.eventsPerSecond)} events/s is above the safe rate of ${Math.round(safe)}.`,
    );
  if (pace.reachesHighWaterMark)
    yield warning(
      'stream_fills',
      'The stream fills to its high-water mark; from then on the store sets the pace.',
    );
  const peak = streamPeakOf(at);
  const room = peak && roomFor(peak, inputs.retention);
  if (room?.fits === false) yield warning('stream_over_retention', room.detail);
}

function* ofGoal(inputs: QuoteInputs, { at, cost, duration, goal: answer }: Answered): Generator<Warning> {
  const { goal, limits } = inputs;
  if (answer !== null && !answer.met) yield warning('goal_impossible', answer.detail);
  if (at === null || cost === null) return;
  const highSpend =
    (Number(at.priced.spend) * Number(atomsOf(cost.high))) / Math.max(1, Number(at.priced.total));
  if (answer?.met && goal?.kind === 'max_cost' && highSpend > Number(goal.spend))
    yield warning('goal_tight', 'It is met by what is likely; at the upper end of the range it costs more.');
  if (answer?.met && goal?.kind === 'finish_by' && duration !== null && duration.high > goal.withinSeconds)
    yield warning(
      'goal_tight',
      `It is met by what is likely; at the upper end of the range it takes ${spanText(Math.ceil(duration.high) * 1_000)}, which is later.`,
    );
  if (limits.budget !== null && scaled(atomsOf(limits.budget), PAUSE_PART) < at.priced.spend)
    yield warning(
      'budget_too_small',
      `The budget pauses it before it is done: ${moneyText(limits.budget)} of a likely ${moneyText(moneyOf(at.priced.spend, limits.budget.currency))}.`,
    );
}
