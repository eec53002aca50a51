/**
 * The quote: what a backfill would do and cost, from what is known without reading the sources. A few hundred evaluations of a closed form,
 * however many subwindows there are.
 */
import { type CostItemName, costItems, type EstimatedCost, type EstimatedItem } from '../api/cost.ts';
import type { FrontierPoint, GoalAnswer, Quote, RouteForecast } from '../api/quote.ts';
import { askedRate } from '../backfill/asked-rate.ts';
import { type Coefficients, type FinishedRun, factorsOf } from '../cost/coefficients.ts';
import { type Prices, pricesOf, priceUsage } from '../cost/items.ts';
import { type Atoms, moneyOf, scaled } from '../cost/money.ts';
import { type UsageCounter, usageCounters } from '../cost/usage.ts';
import type { PipelineModel } from '../simulation/model.ts';
import { type EventRange, sumEvents } from './event-range.ts';
import { paceAt } from './pace.ts';
import { ends, priceAt, type RateInputs, type RatePrice, streamPeakOf } from './price-rate.ts';
import type { QuoteInputs } from './quote-inputs.ts';
import { runSeconds, withScatter } from './run-time.ts';
import { solveGoal } from './solve.ts';
import { roomFor, trimAdvice } from './stream-plan.ts';
import { warningsOf } from './warnings.ts';

export const FRONTIER_POINTS = 24;
/** The slowest rate of the frontier is this part of the fastest. */
const SLOWEST_PART = 0.01;
const nothingCosts: Prices = {
  of: Object.fromEntries(costItems.map((item) => [item, 0n])) as Prices['of'],
  spendCounts: 'everything',
};
const nothingProvisioned = { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 };

export interface Reckoning {
  /** All of the answer but its id. */
  readonly quote: Omit<Quote, 'id'>;
  /** What the model alone says of the rate, before anything learned; null: unknown, or it never ends. */
  readonly modelled: FinishedRun['modelled'] | null;
}

export function quoteOf(inputs: QuoteInputs): Omit<Quote, 'id'> {
  return reckon(inputs).quote;
}

export function reckon(inputs: QuoteInputs): Reckoning {
  const { model, coefficients, priceBook: book } = inputs;
  const events = sumEvents(inputs.lanes);
  const fastest = fastestOf(inputs);
  const known = model === null || events === null || fastest === null ? null : { model, events, fastest };
  const solved = known && solve(inputs, known.model, known.events, known.fastest);
  const at = solved?.at ?? null;
  const sourceBytes = coefficients.counters.sourceBytes;
  const cost =
    at && events && book && ends(at)
      ? estimatedCost(at, events, coefficients, { prices: pricesOf(book), currency: book.currency })
      : null;
  const duration = at && events ? durationRange(at, events, coefficients) : null;
  const quote: Reckoning['quote'] = {
    events,
    bytes:
      events === null || sourceBytes === undefined
        ? null
        : Math.round(events.likely * (sourceBytes.use * sourceBytes.factors.likely)),
    subwindows: inputs.subwindows,
    durationSeconds: duration,
    limits:
      inputs.goal === null || at === null
        ? inputs.limits
        : { ...inputs.limits, eventsPerSecond: at.eventsPerSecond, share: null },
    goal: solved?.goal ?? null,
    cost,
    peak:
      at && book
        ? {
            eventsPerSecond: at.pace.publishedEventsPerSecond,
            spendPerHour: moneyOf(at.peakSpendPerHour, book.currency),
            streamLength: Math.ceil(at.pace.peakStreamLength),
            streamBytes: Math.ceil(at.peakStreamBytes),
          }
        : null,
    stream: at && streamForecast(inputs, at),
    frontier: solved && known && book ? frontierOf(solved, known.fastest, coefficients, book.currency) : [],
    route: {
      shared: known && routeForecast(inputs, known.model, 'shared', known.events, at),
      separate: known && routeForecast(inputs, known.model, 'separate', known.events, at),
    },
    overlaps: inputs.overlaps,
    warnings: warningsOf(inputs, { events, at, cost, duration, goal: solved?.goal ?? null }),
    safeRate: inputs.safeRate,
    expiresAt: new Date(inputs.nowMs + inputs.validForMs).toISOString(),
  };
  return {
    quote,
    modelled:
      at !== null && ends(at)
        ? { seconds: at.seconds, streamByteMs: at.pace.entrySeconds * 1000 * inputs.bytesPerEntry }
        : null,
  };
}

function streamForecast({ retention, model }: QuoteInputs, at: RatePrice): Quote['stream'] {
  const peak = streamPeakOf(at);
  if (model === null || peak === null) return null;
  const { fits, part, detail } = roomFor(peak, retention);
  // A broker's own retention counts whatever lies there.
  const whole = { ...peak, length: at.pace.peakStreamLength, bytes: at.peakStreamBytes };
  const trim = trimAdvice(whole, model.highWaterMark, at.pace.appliedEventsPerSecond);
  return { fits, retentionPart: part, detail, trim };
}

/** What no rate can exceed, events/s. Null: unknown, or nothing at all. */
function fastestOf({ model, ceilingEventsPerSecond, capacityEventsPerSecond }: QuoteInputs): number | null {
  const ceiling = ceilingEventsPerSecond ?? capacityEventsPerSecond;
  if (model === null || ceiling === null) return null;
  const fastest = Math.min(ceiling, model.historyEventsPerSecond);
  return fastest >= 1 ? fastest : null;
}

interface SolvedRate {
  readonly at: RatePrice;
  readonly goal: GoalAnswer | null;
  readonly priced: (eventsPerSecond: number) => RatePrice;
}

function solve(inputs: QuoteInputs, model: PipelineModel, events: EventRange, fastest: number): SolvedRate {
  const { coefficients, priceBook: book, goal } = inputs;
  const rate: RateInputs = {
    pace: {
      model,
      events: events.likely,
      liveEventsPerSecond: inputs.liveEventsPerSecond ?? 0,
      replayAmplification: inputs.replayAmplification,
    },
    coefficients,
    prices: book === null ? nothingCosts : pricesOf(book),
    provisioned: book?.provisioned ?? nothingProvisioned,
    liveUse: inputs.liveUse,
    bytesPerEntry: inputs.bytesPerEntry,
  };
  const priced = (eventsPerSecond: number) => priceAt(rate, eventsPerSecond);
  if (goal === null) {
    return { at: priced(Math.min(askedRate(inputs.limits, inputs) ?? 0, fastest)), goal: null, priced };
  }
  const likely = (one: RatePrice) => likelySeconds(one, coefficients);
  const { at, met, detail } = solveGoal(goal, fastest, priced, likely, book?.currency ?? null);
  const finishMs = inputs.nowMs + likelySeconds(at, coefficients) * 1000;
  const answer: GoalAnswer = {
    goal: goal.kind,
    met,
    eventsPerSecond: at.eventsPerSecond,
    finishAt: new Date(Math.min(finishMs, LATEST_MS)).toISOString(),
    cost: book === null || !ends(at) ? null : moneyOf(at.priced.spend, book.currency),
    detail,
  };
  return { at, goal: answer, priced };
}

/** The last moment that is written with four digits of a year. */
const LATEST_MS = Date.UTC(9999, 11, 31);

function likelySeconds(at: RatePrice, { duration }: Coefficients): number {
  return at.seconds * duration.likely;
}

function durationRange(
  at: RatePrice,
  events: EventRange,
  { duration }: Coefficients,
): Quote['durationSeconds'] {
  if (!ends(at)) return null;
  const { seconds } = at;
  const range = withScatter({
    low: seconds * duration.low * partOf(events.low, events.likely),
    likely: seconds * duration.likely,
    high: seconds * duration.high * partOf(events.high, events.likely),
  });
  // However wide what is assumed of it: nothing is read faster than at the rate.
  const shortest = events.low / at.eventsPerSecond;
  return { ...range, low: Math.min(range.likely, Math.max(range.low, shortest)) };
}

/**
 * Items are estimated each with the range of its own counter; the range of the whole is the sum of theirs, as if all were off to the same side.
 * It covers at least as often as each of them.
 */
function estimatedCost(
  at: RatePrice,
  events: EventRange,
  coefficients: Coefficients,
  { prices, currency }: { readonly prices: Prices; readonly currency: string },
): EstimatedCost {
  const { priced } = at;
  const seconds = likelySeconds(at, coefficients);
  let low: Atoms = 0n;
  let high: Atoms = 0n;
  const most = mostOf(events.high, coefficients, prices);
  const items = priced.items.map((item): EstimatedItem => {
    const learned = coefficients.counters[item.counter];
    const money = (atoms: Atoms | null) => (atoms === null ? null : moneyOf(atoms, currency));
    const { total } = item;
    const factors =
      learned === undefined ? { low: 1, likely: 1, high: 1 } : factorsOf(learned, events.likely, seconds);
    const ofLow = total && scaled(total, (factors.low / factors.likely) * partOf(events.low, events.likely));
    const inRange =
      total && scaled(total, (factors.high / factors.likely) * partOf(events.high, events.likely));
    const ofHigh = inRange === null ? null : largest(inRange, most(item.item));
    low += ofLow ?? 0n;
    high += ofHigh ?? 0n;
    return {
      item: item.item,
      counter: item.counter,
      quantity: item.quantity === null ? null : item.quantity.toString(),
      total: money(total),
      provisioned: money(item.provisioned),
      overage: money(item.overage),
      low: money(ofLow),
      high: money(ofHigh),
      basis: learned?.basis ?? 'unknown',
    };
  });
  return {
    low: moneyOf(low, currency),
    likely: moneyOf(priced.total, currency),
    high: moneyOf(high, currency),
    items,
  };
}

/** What an item may come to whatever its range says. */
function mostOf(events: number, { counters }: Coefficients, prices: Prices): (item: CostItemName) => Atoms {
  const total: Partial<Record<UsageCounter, bigint>> = {};
  for (const counter of usageCounters) {
    const use = counters[counter]?.mostUse;
    if (use !== undefined) total[counter] = BigInt(Math.ceil(use * events));
  }
  const { items } = priceUsage({ total, absorbed: {}, apportioned: [] }, prices);
  return (name) => items.find(({ item }) => item === name)?.total ?? 0n;
}

function largest(a: Atoms, b: Atoms): Atoms {
  return a > b ? a : b;
}

function partOf(events: number, likely: number): number {
  return likely > 0 ? events / likely : 1;
}

/** Rates in equal ratios from a hundredth of the fastest up to it, and the one that is quoted. */
function frontierOf(
  { at, priced }: SolvedRate,
  fastest: number,
  coefficients: Coefficients,
  currency: string,
): FrontierPoint[] {
  const rates = Array.from({ length: FRONTIER_POINTS }, (_, index) => {
    const part = SLOWEST_PART ** (1 - index / (FRONTIER_POINTS - 1));
    return Math.max(1, Math.round(fastest * part * 100) / 100);
  });
  const points = [...new Set([...rates, at.eventsPerSecond])].toSorted((a, b) => a - b).map(priced);
  return points.filter(ends).map((point) => ({
    eventsPerSecond: point.eventsPerSecond,
    durationSeconds: likelySeconds(point, coefficients),
    cost: moneyOf(point.priced.total, currency),
    overage: moneyOf(point.priced.overage, currency),
    spend: moneyOf(point.priced.spend, currency),
    peakSpendPerHour: moneyOf(point.peakSpendPerHour, currency),
    peakStreamLength: point.pace.peakStreamLength,
    peakStreamBytes: point.peakStreamBytes,
  }));
}

function routeForecast(
  inputs: QuoteInputs,
  model: PipelineModel,
  route: PipelineModel['route'],
  events: EventRange,
  at: RatePrice | null,
): RouteForecast {
  const { replayAmplification, bytesPerEntry, coefficients } = inputs;
  const liveEventsPerSecond = inputs.liveEventsPerSecond ?? 0;
  const routed = { ...model, route };
  const pace = paceAt(
    { model: routed, events: events.likely, liveEventsPerSecond, replayAmplification },
    at?.eventsPerSecond ?? 0,
  );
  const seconds = runSeconds(routed, pace, events.likely);
  return {
    durationSeconds: Number.isFinite(seconds) ? seconds * coefficients.duration.likely : null,
    // Live stands still in the applier's longest pause, too.
    liveFreshnessMs: pace.liveFreshnessMs === null ? null : pace.liveFreshnessMs + model.longestPauseMs,
    peakStreamLength: pace.peakStreamLength,
    peakStreamBytes: pace.peakStreamLength * bytesPerEntry,
    reachesHighWaterMark: pace.reachesHighWaterMark,
  };
}
