/** A backfill's cost: as quoted, as metered, and what it will have been at its end. */
import type {
  BackfillCost,
  BudgetView,
  EstimatedCost,
  MoneyRange,
  PriceBook,
} from '@spillway/shared/api/cost';
import { checkBudget } from '@spillway/shared/cost/budget';
import { compareCost } from '@spillway/shared/cost/compare';
import { forecastSpend } from '@spillway/shared/cost/forecast';
import { type MeteredUsage, pricesOf, priceUsage } from '@spillway/shared/cost/items';
import { type Atoms, atomsOf, moneyOf } from '@spillway/shared/cost/money';
import { keptForProof } from '@spillway/shared/cost/proof-cost';
import { type Factors, factorsFrom } from '@spillway/shared/cost/spread';
import type { BackfillRow } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { bookOf, meterBook } from './meter-book.ts';
import { meteredCost, usageOfRecord } from './metered-cost.ts';
import { spendHistory } from './spend-history.ts';

export interface CostRecord {
  readonly row: BackfillRow;
  /** Moved out of the meter; null: what there is, is in it. */
  readonly meteredUsage: string | null;
}

/** Without a price book nothing is metered in money; null: nor was anything quoted. The meter of the pipeline is loaded. */
export function backfillCost(ctx: ControlContext, { row, meteredUsage }: CostRecord): BackfillCost | null {
  const meter = meterBook(ctx).loaded(row.pipelineId);
  const book = meter === null ? null : bookOf(meter, row.priceBookVersion);
  const estimate = estimateOf(row);
  if (book === null)
    return estimate === null
      ? null
      : { ...estimated(row), metered: null, forecast: null, comparison: [], budget: null };
  const usage = usageOf(ctx, { row, meteredUsage });
  const nowMs = ctx.clock.now();
  const perHour = row.endedAt === null ? spendHistory(ctx).perHour(row.id, ctx.clock.monotonic()) : null;
  const metered = usage === null ? null : meteredCost(usage, book, { perHour, nowMs });
  const spent = metered === null ? 0n : atomsOf(metered.spend);
  return {
    ...estimated(row),
    metered,
    forecast: forecastOf(row, book, spent),
    comparison: estimate === null ? [] : compareCost(estimate.items, metered?.items ?? []),
    budget: budgetView(row, book, usage),
  };
}

function usageOf(ctx: ControlContext, { row, meteredUsage }: CostRecord): MeteredUsage | null {
  if (meteredUsage !== null) return usageOfRecord(meteredUsage);
  return meterBook(ctx).usageOf(row.pipelineId, row.id);
}

/** Where it goes on; after its end it is what was spent. */
function forecastOf(row: BackfillRow, book: PriceBook, spent: Atoms): MoneyRange | null {
  if (row.state === 'cancelled' || row.state === 'failed') return null;
  const done = BigInt(row.eventsApplied + row.eventsDuplicate + row.eventsQuarantined);
  if (row.state !== 'completed' && row.eventsExpected === null) return null;
  const estimate = estimateOf(row);
  const total = row.state === 'completed' ? done : BigInt(row.eventsExpected as number);
  const forecast = forecastSpend({
    spent,
    eventsDone: done,
    eventsTotal: { low: total, likely: total, high: total },
    estimate: estimate === null ? null : estimatedSpend(estimate, book),
    factors: estimate === null ? ONE_RUN : factorsOf(estimate),
  });
  if (forecast === null) return null;
  const money = (atoms: Atoms) => moneyOf(atoms, book.currency);
  return { low: money(forecast.low), likely: money(forecast.likely), high: money(forecast.high) };
}

function estimated({
  estimate,
}: BackfillRow): Pick<BackfillCost, 'estimate' | 'estimateMade' | 'estimateMissing'> {
  if (estimate === null)
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

/** A quote's range is of everything used; spend may be its overage only. */
function estimatedSpend({ likely, items }: EstimatedCost, { spendCounts }: PriceBook): Atoms {
  if (spendCounts === 'everything') return atomsOf(likely);
  return items.reduce((sum, { overage }) => sum + (overage === null ? 0n : atomsOf(overage)), 0n);
}

function factorsOf({ low, likely, high }: EstimatedCost): Factors {
  const base = atomsOf(likely);
  if (base === 0n) return ONE_RUN;
  const part = (atoms: Atoms) => Number((atoms * 1_000_000n) / base) / 1_000_000;
  return { low: part(atomsOf(low)), likely: 1, high: part(atomsOf(high)) };
}

/** As it stands, without what is under way: how fast it may go on is the governor's to say. */
function budgetView(row: BackfillRow, book: PriceBook, usage: MeteredUsage | null): BudgetView | null {
  if (row.budgetAmount === null || row.budgetCurrency === null) return null;
  const limit = { amount: row.budgetAmount, currency: row.budgetCurrency };
  const prices = pricesOf(book);
  const priced = usage === null ? null : priceUsage(usage, prices);
  const spent = priced?.spend ?? 0n;
  const done = row.eventsApplied + row.eventsDuplicate + row.eventsQuarantined;
  const kept = keptForProof(
    { published: row.eventsPublished, done, isReplaying: row.endedAt === null && row.state !== 'verifying' },
    prices,
    priced,
  );
  const { state, part, pauseAt } = checkBudget({
    limit: atomsOf(limit),
    spent,
    meterAgeMs: 0,
    meterEveryMs: 0,
    lookEveryMs: 0,
    stopMs: 0,
    onStream: 0n,
    spendPerEvent: 0n,
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
