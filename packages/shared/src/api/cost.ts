/** Prices, what work has cost, and budgets. Amounts are exact; what is unknown is null and left out of the sums. */
import { type Static, Type } from 'typebox';
import { backfillStates } from '../backfill/state-machine.ts';
import { Count, Id, Money, Nullable, strict, Timestamp } from './primitives.ts';

export const costItems = [
  'compute',
  'store_reads',
  'store_writes',
  'store_wal',
  'stream_operations',
  'stream_memory',
  'source_requests',
  'source_scan',
  'egress',
] as const;
export type CostItemName = (typeof costItems)[number];

/** A sign is let through here, so that a negative price is refused by name. GiB are 2³⁰ bytes. */
const Price = Type.String({ pattern: '^-?\\d{1,12}(\\.\\d{1,12})?$', description: 'decimal string' });
const Prices = Type.Object(
  {
    computePerCoreHour: Price,
    storeReadsPerMillion: Price,
    storeWritesPerMillion: Price,
    walPerGib: Price,
    streamOperationsPerMillion: Price,
    streamMemoryPerGibHour: Price,
    sourceRequestsPerMillion: Price,
    sourceScanPerGib: Price,
    egressPerGib: Price,
  },
  strict,
);

/** Paid for already, used or not: live takes of it first, replay what is left. 0: everything is paid by use. */
const Provisioned = Type.Object(
  {
    cores: Type.Number(),
    /** Reads and writes together. */
    storeOperationsPerSecond: Type.Number(),
    streamBytes: Type.Number(),
  },
  strict,
);

/** What budgets, `maxCost` and spend per hour count: all that is used at its price, or only what provisioned amounts do not cover. */
export const spendCounts = ['everything', 'overage'] as const;

const priceBookFields = {
  title: Type.String({ minLength: 1, maxLength: 200 }),
  currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  prices: Prices,
  provisioned: Provisioned,
  spendCounts: Type.Enum([...spendCounts]),
};

/** As an admin writes it: whole, never a part; `PATCH /v1/pipelines/{id}` `priceBook`. */
export const PutPriceBook = Type.Object(priceBookFields, strict);
export type PutPriceBook = Static<typeof PutPriceBook>;

export const PriceBook = Type.Object(
  {
    ...priceBookFields,
    /** Rises with each change; old versions are kept, and what began under one is priced by it to its end. */
    version: Type.Integer({ minimum: 1 }),
    /** An example that nobody has changed: its date; null: the figures are somebody's own. */
    exampleOf: Nullable(Type.String({ description: 'date, e.g. 2026-11-01' })),
    changedBy: Type.String(),
    changedAt: Timestamp,
  },
  strict,
);
export type PriceBook = Static<typeof PriceBook>;

export const MoneyRange = Type.Object({ low: Money, likely: Money, high: Money }, strict);
export type MoneyRange = Static<typeof MoneyRange>;

const itemFields = {
  item: Type.Enum([...costItems]),
  /** Integer, in the unit that ends the counter's name; null: unknown. */
  quantity: Nullable(Type.String({ pattern: '^\\d+$' })),
  counter: Type.String({ description: 'what is counted, e.g. cpuMs, walBytes' }),
  /** provisioned + overage. */
  total: Nullable(Money),
  /** Absorbed by amounts that are paid for already, at the same price. */
  provisioned: Nullable(Money),
  overage: Nullable(Money),
};

export const CostItem = Type.Object(
  {
    ...itemFields,
    /** A share of something that cannot be measured apart: the log of a store, the CPU of a process that also serves others. */
    apportioned: Type.Boolean(),
  },
  strict,
);
export type CostItem = Static<typeof CostItem>;

export const EstimatedItem = Type.Object(
  {
    ...itemFields,
    low: Nullable(Money),
    high: Nullable(Money),
    /** Where the quantity per event comes from: runs of this pipeline, or assumptions while there are none. */
    basis: Type.Enum(['learned', 'assumed', 'unknown']),
  },
  strict,
);
export type EstimatedItem = Static<typeof EstimatedItem>;

const totals = {
  total: Money,
  provisioned: Money,
  overage: Money,
  /** The part that budgets count. */
  spend: Money,
};

/** Measured until now. */
export const MeteredCost = Type.Object(
  {
    ...totals,
    items: Type.Array(CostItem),
    /** Over the last minute; null until there is one. */
    spendPerHour: Nullable(Money),
    priceBookVersion: Type.Integer(),
    meteredAt: Timestamp,
    writeAmplification: Type.Object(
      {
        rowsAttempted: Nullable(Count),
        rowsInserted: Nullable(Count),
        rowsNoop: Nullable(Count),
        walBytes: Nullable(Count),
      },
      strict,
    ),
    /** Written to the stream, as it stores them. */
    publishedBytes: Nullable(Count),
  },
  strict,
);
export type MeteredCost = Static<typeof MeteredCost>;

export const EstimatedCost = Type.Object(
  { ...MoneyRange.properties, items: Type.Array(EstimatedItem) },
  strict,
);
export type EstimatedCost = Static<typeof EstimatedCost>;

/** After the run, or until now: what was quoted against what was metered. */
export const CostComparison = Type.Object(
  {
    item: Type.Enum([...costItems]),
    estimate: Nullable(Money),
    actual: Nullable(Money),
    /** actual ÷ estimate; null: one of them is unknown, or the estimate is zero. */
    ratio: Nullable(Type.Number()),
    apportioned: Type.Boolean(),
  },
  strict,
);
export type CostComparison = Static<typeof CostComparison>;

export const budgetStates = ['within', 'warned', 'spent'] as const;
export const BudgetView = Type.Object(
  {
    limit: Money,
    spent: Money,
    /** spent ÷ limit, 0 and up. */
    part: Type.Number({ minimum: 0 }),
    /** `warned` from 80 % on, what is kept for the proof included; `spent` from `pauseAt` on. */
    state: Type.Enum([...budgetStates]),
    /** What the proof of what is published until now will come to: of the limit, but not for replay. 0 once the proof has begun. */
    keptForProof: Money,
    /** Replay is paused here, a little below the limit less what is kept; it slows down on the way, so that little is under way then. */
    pauseAt: Money,
  },
  strict,
);
export type BudgetView = Static<typeof BudgetView>;

export const BackfillCost = Type.Object(
  {
    /** Null: what it would come to cannot be told, or not yet: `estimateMissing` says why. */
    estimate: Nullable(EstimatedCost),
    /** When it was made. `late`: not at the start, because what it takes (a count, the capacity) was not known then. Null: there is none. */
    estimateMade: Nullable(Type.Object({ at: Timestamp, late: Type.Boolean() }, strict)),
    estimateMissing: Nullable(Type.String()),
    metered: Nullable(MeteredCost),
    /** Of the spend at completion. Null: the end is unknown. */
    forecast: Nullable(MoneyRange),
    /** What its events are known by: `estimated` widens it (`progress.eventsEstimated`). Null: no forecast. */
    forecastBasis: Nullable(Type.Enum(['counted', 'estimated'])),
    comparison: Type.Array(CostComparison),
    /** Null: no budget. */
    budget: Nullable(BudgetView),
  },
  strict,
);
export type BackfillCost = Static<typeof BackfillCost>;

/**
 * `GET /v1/pipelines/{id}/cost`: live and every backfill that is not finished or has ended lately, the newest first, each at the version of the
 * price book it began under.
 */
export const PipelineCost = Type.Object(
  {
    pipelineId: Id,
    /** In force now: what live is priced by from when it came into force on; what it used before stays at the prices it was metered under. */
    priceBookVersion: Type.Integer({ minimum: 1 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
    /** Since it was first metered; null: not metered yet. */
    live: Nullable(MeteredCost),
    /** Those that go on and those that ended within a day, 200 at most, the newest first; of more, those at work are among them. */
    backfills: Type.Array(
      Type.Object(
        {
          id: Id,
          state: Type.Enum([...backfillStates]),
          /** Null: not metered yet. */
          metered: Nullable(MeteredCost),
          /** Of everything used: the quote's that the start named, else reckoned for it. Null: there is none, or not yet. */
          estimate: Nullable(MoneyRange),
          /** Over the last minute; null: unknown. */
          spendPerHour: Nullable(Money),
        },
        strict,
      ),
    ),
    /** Of live and backfills together, over the last minute; null: unknown. */
    spendPerHour: Nullable(Money),
    /** Of all that is listed: what amounts paid for already absorb, and the rest. */
    provisioned: Money,
    overage: Money,
  },
  strict,
);
export type PipelineCost = Static<typeof PipelineCost>;
