/** A backfill's cost: as quoted, as metered, and what it will have been at its end. */
import type { BackfillCost, BudgetView, EstimatedCost, PriceBook } from '@spillway/shared/api/cost';
import type { Money } from '@spillway/shared/api/primitives';
import { checkBudget } from '@spillway/shared/cost/budget';
import { compareCost } from '@spillway/shared/cost/compare';
import { estimatedSpend } from '@spillway/shared/cost/estimated-spend';
import { forecastSpend } from '@spillway/shared/cost/forecast';
import { type MeteredUsage, type Priced, pricesOf, priceUsage } from '@spillway/shared/cost/items';
import { type Atoms, atomsOf, moneyOf } from '@spillway/shared/cost/money';
import { keptForProof, owedForProof } from '@spillway/shared/cost/proof-cost';
import { type Factors, factorsFrom } from '@spillway/shared/cost/spread';
import type { EventRange } from '@spillway/shared/quote/event-range';
import { type EstimatedRecord, estimatedEvents } from '../backfill/estimated-events.ts';
import { eventsDone, eventsHandled } from '../backfill/events-done.ts';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { governorMemory } from '../governor/memory.ts';
import { eventsOnStream } from './look-at-budgets.ts';
import { bookOf, meterBook } from './meter-book.ts';
import { meteredCost, usageOfRecord } from './metered-cost.ts';
import { spendHistory } from './spend-history.ts';

export interface CostRecord extends EstimatedRecord {
  /** Moved out of the meter; null: what there is, is in it. */
  readonly meteredUsage: string | null;
}

/** Without a price book nothing is metered in money; null: nor was anything quoted. The meter of the pipeline is loaded. */
export function backfillCost(ctx: ControlContext, record: CostRecord): BackfillCost | null {
  const { row } = record;
  const meter = meterBook(ctx).loaded(row.pipelineId);
  const book = meter === null ? null : bookOf(meter, row.priceBookVersion);
  const estimate = estimateOf(row);
  if (book === null)
    return estimate === null
      ? null
      : { ...estimated(row), metered: null, ...noForecast, comparison: [], budget: null };
  const usage = usageOf(ctx, record);
  const nowMs = ctx.clock.now();
  const perHour = row.endedAt === null ? spendHistory(ctx).perHour(row.id, ctx.clock.monotonic()) : null;
  const priced = usage === null ? null : priceUsage(usage, pricesOf(book));
  const metered = usage && priced && meteredCost({ usage, priced }, book, { perHour, nowMs });
  return {
    ...estimated(row),
    metered,
    ...forecastOf(record, book, priced),
    comparison: estimate === null ? [] : compareCost(estimate.items, metered?.items ?? []),
    budget: budgetView(ctx, record, book, priced),
  };
}

function usageOf(
  ctx: ControlContext,
  { row, meteredUsage }: Pick<CostRecord, 'row' | 'meteredUsage'>,
): MeteredUsage | null {
  if (meteredUsage !== null) return usageOfRecord(meteredUsage);
  return meterBook(ctx).usageOf(row.pipelineId, row.id);
}

type Forecast = Pick<BackfillCost, 'forecast' | 'forecastBasis'>;
const noForecast: Forecast = { forecast: null, forecastBasis: null };

/** Where it goes on; after its end it is what was spent. */
function forecastOf(record: EstimatedRecord, book: PriceBook, priced: Priced | null): Forecast {
  const { row, external } = record;
  if (row.state === 'cancelled' || row.state === 'failed') return noForecast;
  const handled = eventsHandled(row, external);
  const isOver = row.state === 'completed';
  const done = isOver ? handled : eventsDone(row, external);
  const counted = isOver ? handled : row.eventsExpected;
  const events =
    counted === null ? estimatedEvents(record) : { low: counted, likely: counted, high: counted };
  if (events === null) return noForecast;
  const estimate = estimateOf(row);
  const forecast = forecastSpend({
    spent: priced?.spend ?? 0n,
    owed:
      external || isOver ? 0n : owedForProof({ done, checked: row.eventsChecked }, pricesOf(book), priced),
    eventsHandled: BigInt(handled),
    eventsDone: BigInt(done),
    eventsTotal: { low: BigInt(events.low), likely: BigInt(events.likely), high: BigInt(events.high) },
    estimate: estimate === null ? null : estimatedSpend(estimate, book.spendCounts),
    factors: estimate === null ? ONE_RUN : factorsOf(estimate, row.estimate?.events ?? null),
  });
  if (forecast === null) return noForecast;
  const money = (atoms: Atoms) => moneyOf(atoms, book.currency);
  return {
    forecast: { low: money(forecast.low), likely: money(forecast.likely), high: money(forecast.high) },
    forecastBasis: counted === null ? 'estimated' : 'counted',
  };
}

function estimated({
  estimate,
  priceBookVersion,
}: BackfillRow): Pick<BackfillCost, 'estimate' | 'estimateMade' | 'estimateMissing'> {
  if (estimate === null || priceBookVersion === null)
    return { estimate: null, estimateMade: null, estimateMissing: 'It began before there was a price book.' };
  const { cost, madeAt, late, missing } = estimate;
  return {
    estimate: cost,
    estimateMade: cost === null ? null : { at: madeAt, late },
    estimateMissing: missing,
  };
}

/** Null: what it would come to could not be told. */
function estimateOf({ estimate }: BackfillRow): EstimatedCost | null {
  return estimate?.cost ?? null;
}

/** A run without a quote knows itself, and that is one run. */
const ONE_RUN = factorsFrom([1]);

/** Of an event: that there may be more or fewer of them is the forecast's own to say. */
function factorsOf({ low, likely, high }: EstimatedCost, events: EventRange | null): Factors {
  const base = atomsOf(likely);
  if (base === 0n) return ONE_RUN;
  const part = (money: Money, of: number | undefined) =>
    Number((atomsOf(money) * 1_000_000n) / base) / 1_000_000 / partOf(of, events?.likely);
  return { low: part(low, events?.low), likely: 1, high: part(high, events?.high) };
}

function partOf(events: number | undefined, likely: number | undefined): number {
  return events && likely ? events / likely : 1;
}

/** As it stands, without what is under way: how fast it may go on is the governor's to say. */
function budgetView(
  ctx: ControlContext,
  { row, external }: Pick<CostRecord, 'row' | 'external'>,
  book: PriceBook,
  priced: Priced | null,
): BudgetView | null {
  if (row.budgetAmount === null || row.budgetCurrency === null) return null;
  const limit = { amount: row.budgetAmount, currency: row.budgetCurrency };
  const spent = priced?.spend ?? 0n;
  const kept = keptForProof(
    {
      done: eventsDone(row, external),
      onStream: eventsOnStream(governorMemory(ctx).recentGrants.get(row.id), row, external),
      isReplaying: !external && row.endedAt === null && row.state !== 'verifying',
    },
    pricesOf(book),
    priced,
  );
  const { state, part, pauseAt } = checkBudget({
    limit: atomsOf(limit),
    spent,
    unknown: null,
    toldAgeMs: 0,
    lookEveryMs: 0,
    standsMs: 0,
    stopMs: 0,
    onStream: 0n,
    spendPerEvent: null,
    leastPerEvent: null,
    meteredPerEvent: null,
    keptForProof: kept,
    proofPerEvent: 0n,
  });
  return {
    limit,
    spent: moneyOf(spent, limit.currency),
    part,
    state,
    keptForProof: moneyOf(kept, limit.currency),
    pauseAt: moneyOf(pauseAt, limit.currency),
  };
}
