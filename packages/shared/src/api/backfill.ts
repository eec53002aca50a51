import { type Static, Type } from 'typebox';
import { backfillStates, verbs } from '../backfill/state-machine.ts';
import { BackfillCost } from './cost.ts';
import {
  Count,
  Duration,
  EventRange,
  Id,
  Money,
  Nullable,
  Page,
  PageQuery,
  PastPipelineId,
  Rate,
  Share,
  strict,
  Timestamp,
  Window,
} from './primitives.ts';

export const BackfillStateSchema = Type.Enum([...backfillStates]);
export const BackfillMode = Type.Enum(['fill', 'rebuild']);
export const Reason = Type.String({ maxLength: 500 });

export const Limits = Type.Object(
  {
    eventsPerSecond: Nullable(Rate),
    share: Nullable(Share),
    concurrency: Type.Integer({
      minimum: 1,
      maximum: 16,
      description: 'runs of subwindows read at the same time',
    }),
    budget: Nullable(Money),
  },
  strict,
);
export type Limits = Static<typeof Limits>;

export const StartBackfill = Type.Object(
  {
    pipelineId: Id,
    sourceIds: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 64, uniqueItems: true })),
    window: Window,
    subwindow: Type.Optional(Duration),
    mode: Type.Optional(BackfillMode),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    limits: Type.Optional(Type.Partial(Limits, strict)),
    isolated: Type.Optional(
      Type.Boolean({
        description: 'its history is read by workers tagged `isolated` alone; false unless set',
      }),
    ),
    quoteId: Type.Optional(Id),
    reason: Type.Optional(Reason),
  },
  strict,
);
export type StartBackfill = Static<typeof StartBackfill>;

export const PatchLimits = Type.Partial(Limits, { ...strict, minProperties: 1 });
export type PatchLimits = Static<typeof PatchLimits>;

export const CommandBody = Type.Object({ reason: Type.Optional(Reason) }, strict);
export const CancelBody = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500 }) }, strict);

export const Receipt = Type.Object(
  {
    id: Id,
    verb: Type.String(),
    backfillId: Nullable(Id),
    requestedAt: Timestamp,
    acknowledgedAt: Nullable(Timestamp),
    effectiveAt: Nullable(Timestamp),
  },
  strict,
);
export type Receipt = Static<typeof Receipt>;

export const ceilingReasons = [
  'operator',
  'share',
  'live_first',
  'adaptive',
  'storm',
  'hard_stop',
  'stream',
  'budget',
  'hold',
  'capacity_unknown',
  'no_worker',
] as const;
export const Ceiling = Type.Object(
  {
    reason: Type.Enum([...ceilingReasons]),
    /** Null: this ceiling does not limit now. */
    eventsPerSecond: Nullable(Type.Number()),
    detail: Type.String(),
  },
  strict,
);
export type Ceiling = Static<typeof Ceiling>;

export const Effective = Type.Object(
  {
    eventsPerSecond: Type.Number(),
    binding: Nullable(Type.Enum([...ceilingReasons])),
    ceilings: Type.Array(Ceiling),
  },
  strict,
);
export type Effective = Static<typeof Effective>;

export const Progress = Type.Object(
  {
    subwindowsTotal: Count,
    subwindowsDone: Count,
    /** Null until the sources have been counted. */
    eventsExpected: Nullable(Count),
    /**
     * Where they are estimated and not counted: what is done, and what is likely ahead by that estimate and by what has been met so far. Null: counted,
     * ended, or nothing is known of them.
     */
    eventsEstimated: Nullable(EventRange),
    /**
     * Of those: applied, there already, or quarantined by the store; of a store that is not ours, published. After a retry what is read again is done when it
     * has been handled again, as its subwindows are.
     */
    eventsDone: Count,
    eventsRead: Count,
    /**
     * Every attempt counts, by its reports: what one published between the last of them and the loss of its lease is not in them. Never less than the store
     * has taken (applied, duplicate and quarantined there).
     */
    eventsPublished: Count,
    /** Rows inserted. Null: into a store that is not ours. */
    eventsApplied: Nullable(Count),
    /** Rows that were already there. Null: the same. */
    eventsDuplicate: Nullable(Count),
    eventsQuarantined: Count,
    percent: Type.Number({ minimum: 0, maximum: 100 }),
    etaSeconds: Nullable(
      Type.Object({ low: Type.Number(), likely: Type.Number(), high: Type.Number() }, strict),
    ),
    /** Events/s over the last seconds. */
    publishedEventsPerSecond: Nullable(Type.Number()),
    appliedEventsPerSecond: Nullable(Type.Number()),
  },
  strict,
);
export type Progress = Static<typeof Progress>;

/** A bucket that differs, with all its numbers, also those that agree. Null: that side has nothing of it. */
export const BucketMismatch = Type.Object(
  {
    sourceId: Id,
    key: Type.String(),
    start: Timestamp,
    source: Nullable(Type.Object({ count: Count, sum: Type.String(), hash: Type.String() }, strict)),
    stored: Nullable(Type.Object({ count: Count, sum: Type.String(), hash: Type.String() }, strict)),
    bucket: Nullable(Type.Object({ count: Count, sum: Type.String(), hash: Type.String() }, strict)),
  },
  strict,
);
export type BucketMismatch = Static<typeof BucketMismatch>;

export const Verification = Type.Object(
  {
    state: Type.Enum(['pending', 'running', 'matched', 'mismatched', 'unavailable']),
    bucketsChecked: Count,
    bucketsMatched: Count,
    eventsChecked: Count,
    detail: Nullable(Type.String()),
    /** The first 100. */
    mismatches: Type.Array(BucketMismatch),
  },
  strict,
);
export type Verification = Static<typeof Verification>;

export const holdReasons = ['operator', 'budget', 'brake', 'storm'] as const;

export const Failure = Type.Object(
  { code: Type.String(), detail: Type.String(), address: Nullable(Type.String()) },
  strict,
);
export type Failure = Static<typeof Failure>;

export const Backfill = Type.Object(
  {
    id: Id,
    pipelineId: PastPipelineId,
    sourceIds: Type.Array(Id),
    window: Window,
    /** As asked, before clipping to what the sources hold. */
    requestedWindow: Window,
    subwindow: Duration,
    mode: BackfillMode,
    priority: Type.Integer(),
    limits: Limits,
    /** Read by workers tagged `isolated` alone. */
    isolated: Type.Boolean(),
    reason: Nullable(Type.String()),
    state: BackfillStateSchema,
    origin: Type.Enum(['operator', 'automation', 'reconnect']),
    /** Of the data it writes; fill writes version 1. */
    version: Type.Integer(),
    progress: Progress,
    effective: Effective,
    /** Null: the pipeline has no price book. */
    cost: Nullable(BackfillCost),
    holds: Type.Array(
      Type.Object(
        {
          reason: Type.Enum([...holdReasons]),
          detail: Nullable(Type.String()),
          by: Type.String(),
          at: Timestamp,
        },
        strict,
      ),
    ),
    /** A reconnect's share of the stagger: it is not started before. Null: as soon as a slot is free. */
    notBefore: Nullable(Timestamp),
    warnings: Type.Array(Type.Object({ code: Type.String(), detail: Type.String() }, strict)),
    verification: Verification,
    failure: Nullable(Failure),
    createdBy: Type.String(),
    createdAt: Timestamp,
    startedAt: Nullable(Timestamp),
    endedAt: Nullable(Timestamp),
    /** Changes with limits and commands, not with progress; the ETag. */
    revision: Type.Integer(),
    allowedActions: Type.Array(Type.Enum([...verbs])),
  },
  strict,
);
export type Backfill = Static<typeof Backfill>;
export const BackfillPage = Type.Object(
  {
    items: Type.Array(Backfill),
    nextCursor: Nullable(Type.String()),
    /** All that the filter lets through, on this page or another. */
    total: Count,
  },
  strict,
);

export const BackfillQuery = Type.Object(
  {
    ...PageQuery,
    state: Type.Optional(Type.String({ description: 'one state, or several separated by commas' })),
    pipelineId: Type.Optional(PastPipelineId),
    source: Type.Optional({ ...Id, description: 'one of its sources' }),
    createdBy: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'who started it' })),
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'a part of its id or its reason, in any case',
      }),
    ),
  },
  strict,
);

export const subwindowStates = ['pending', 'leased', 'published', 'done', 'failed'] as const;
export type SubwindowState = (typeof subwindowStates)[number];

/** Neighbouring subwindows in the same state are one run: two years of minutes are a few rows. */
export const SubwindowRun = Type.Object(
  {
    id: Id,
    sourceId: Id,
    window: Window,
    subwindows: Count,
    state: Type.Enum([...subwindowStates]),
    attempt: Count,
    workerId: Nullable(Type.String()),
    eventsPublished: Count,
    failure: Nullable(Failure),
  },
  strict,
);
export type SubwindowRun = Static<typeof SubwindowRun>;
export const SubwindowPage = Page(SubwindowRun);
export const SubwindowQuery = Type.Object(
  { ...PageQuery, state: Type.Optional(Type.Enum([...subwindowStates])) },
  strict,
);

/** Events of a backfill that were left out, by row: unreadable ones, and ids that came again with another payload. */
export const QuarantinePage = Page(
  Type.Object({ sourceId: Id, address: Type.String(), code: Type.String(), detail: Type.String() }, strict),
);
export const QuarantineQuery = Type.Object({ limit: PageQuery.limit }, strict);

/** The heat-strip: for each lane, per bin, the share of its subwindows in each state. */
export const SubwindowBins = Type.Object(
  {
    bins: Count,
    window: Window,
    lanes: Type.Array(
      Type.Object(
        {
          sourceId: Id,
          /** Each 0..1 per bin; pending is the rest. */
          done: Type.Array(Type.Number()),
          active: Type.Array(Type.Number()),
          failed: Type.Array(Type.Number()),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type SubwindowBins = Static<typeof SubwindowBins>;

/**
 * Seconds that each reason was the binding one while the backfill was running, pausing or paused. They add up to the time that has passed, to a
 * quarter of a second. Where the governor could not look for longer than grants are good for (2 s), also because no api ran, the rest is `hard_stop`,
 * for nothing was granted any more, unless it stood at 0 for another reason.
 */
export const LedgerPage = Page(
  Type.Object({ reason: Type.Enum([...ceilingReasons]), seconds: Type.Number({ minimum: 0 }) }, strict),
);
