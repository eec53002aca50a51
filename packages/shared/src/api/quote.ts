/** `POST /v1/quotes`: what a backfill would do and cost, before it starts. Nothing is read from the sources for it. */
import { type Static, Type } from 'typebox';
import { Limits, StartBackfill } from './backfill.ts';
import { EstimatedCost } from './cost.ts';
import { SafeRate } from './governor.ts';
import { Count, EventRange, Id, Money, Nullable, strict, Timestamp, Window } from './primitives.ts';

const { quoteId: _, ...startFields } = StartBackfill.properties;

/** `finishBy` or `maxCost` instead of a rate: at most one of the two, and then neither `eventsPerSecond` nor `share`. */
export const QuoteRequest = Type.Object(
  { ...startFields, finishBy: Type.Optional(Timestamp), maxCost: Type.Optional(Money) },
  strict,
);
export type QuoteRequest = Static<typeof QuoteRequest>;

const SecondsRange = Type.Object({ low: Type.Number(), likely: Type.Number(), high: Type.Number() }, strict);

export const Peak = Type.Object(
  {
    eventsPerSecond: Type.Number(),
    spendPerHour: Money,
    /** Entries. */
    streamLength: Type.Number(),
    streamBytes: Type.Number(),
  },
  strict,
);

/** Is there room on the stream for the peak, and how is it to be trimmed: sized for the volume of this replay. */
export const StreamForecast = Type.Object(
  {
    /** What is not applied stays within what retention keeps. */
    fits: Type.Boolean(),
    /** Peak ÷ the tightest limit of the retention; null: it does not limit the stream. */
    retentionPart: Nullable(Type.Number()),
    detail: Type.String(),
    trim: Type.Object(
      {
        everyMs: Type.Number({ description: 'keeps what is applied within a tenth of the high-water mark' }),
        /** A retention of the broker's own has to keep at least so much, whichever it limits. */
        keepEntries: Count,
        keepBytes: Count,
        keepMs: Count,
      },
      strict,
    ),
  },
  strict,
);

/** One rate, and what it would come to. By rising rate: never later, never a lower peak. */
export const FrontierPoint = Type.Object(
  {
    eventsPerSecond: Type.Number(),
    durationSeconds: Type.Number(),
    cost: Money,
    overage: Money,
    spend: Money,
    peakSpendPerHour: Money,
    peakStreamLength: Type.Number(),
    peakStreamBytes: Type.Number(),
  },
  strict,
);
export type FrontierPoint = Static<typeof FrontierPoint>;

export const RouteForecast = Type.Object(
  {
    /** Null: it never ends. */
    durationSeconds: Nullable(Type.Number()),
    /** Worst; null: live falls behind further and further. */
    liveFreshnessMs: Nullable(Type.Number()),
    peakStreamLength: Type.Number(),
    peakStreamBytes: Type.Number(),
    reachesHighWaterMark: Type.Boolean(),
  },
  strict,
);
export type RouteForecast = Static<typeof RouteForecast>;

export const GoalAnswer = Type.Object(
  {
    goal: Type.Enum(['finish_by', 'max_cost']),
    met: Type.Boolean(),
    /** The rate that meets it; when none does, the one that comes nearest. */
    eventsPerSecond: Type.Number(),
    finishAt: Timestamp,
    /** Its spend; null: nothing has a price, or it never ends. */
    cost: Nullable(Money),
    detail: Type.String(),
  },
  strict,
);
export type GoalAnswer = Static<typeof GoalAnswer>;

export const Overlap = Type.Object(
  { backfillId: Id, sourceIds: Type.Array(Id), window: Window, detail: Type.String() },
  strict,
);
export type Overlap = Static<typeof Overlap>;

export const quoteWarnings = [
  'window_clipped',
  'source_left_out',
  'no_statistics',
  'source_failed',
  'events_unknown',
  'coefficients_assumed',
  'few_runs',
  'items_unknown',
  'capacity_unknown',
  'no_worker',
  'nothing_left',
  'never_ends',
  'live_unknown',
  'rate_above_fastest',
  'rate_above_safe',
  'stream_fills',
  'stream_over_retention',
  'goal_impossible',
  'goal_tight',
  'budget_too_small',
  'overlaps',
  'example_prices',
] as const;
export type QuoteWarningCode = (typeof quoteWarnings)[number];

export const Quote = Type.Object(
  {
    id: Id,
    /** Null: nothing is known about how many there are. */
    events: Nullable(EventRange),
    /** As read from the sources; null: unknown. */
    bytes: Nullable(Count),
    subwindows: Count,
    /** Null: unknown, or it never ends. */
    durationSeconds: Nullable(SecondsRange),
    /** As solved: the goal has become a rate. */
    limits: Limits,
    goal: Nullable(GoalAnswer),
    /** Of all of it; null: unknown, nothing has a price, or it never ends. */
    cost: Nullable(EstimatedCost),
    peak: Nullable(Peak),
    /** Null: unknown, or it never ends. */
    stream: Nullable(StreamForecast),
    frontier: Type.Array(FrontierPoint),
    route: Type.Object({ shared: Nullable(RouteForecast), separate: Nullable(RouteForecast) }, strict),
    overlaps: Type.Array(Overlap),
    warnings: Type.Array(Type.Object({ code: Type.Enum([...quoteWarnings]), detail: Type.String() }, strict)),
    safeRate: SafeRate,
    expiresAt: Timestamp,
  },
  strict,
);
export type Quote = Static<typeof Quote>;
