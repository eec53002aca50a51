import { type Static, Type } from 'typebox';
import { PriceBook, PutPriceBook } from './cost.ts';
import { ExternalDefinition, ExternalView } from './external.ts';
import { SignalTargets } from './governor.ts';
import {
  AcceptedDangers,
  Count,
  Duration,
  Id,
  Nullable,
  Page,
  PageQuery,
  Share,
  strict,
  Timestamp,
} from './primitives.ts';
import { SourceHistory } from './source.ts';

export const Capacity = Type.Object(
  {
    /** Null until measured. */
    eventsPerSecond: Nullable(Type.Number()),
    origin: Type.Enum(['unknown', 'calibrated', 'refined', 'set_by_hand']),
    /** When it was measured, or set. */
    measuredAt: Nullable(Timestamp),
    /**
     * What was measured of this store, also while another capacity is set by hand; null: nothing. Where it is the lower of the two, the floor,
     * the adaptive rate's first steps and the safe rate are parts of it.
     */
    measuredEventsPerSecond: Nullable(Type.Number()),
  },
  strict,
);

export const Pipeline = Type.Object(
  {
    id: Id,
    title: Type.String(),
    /** External: streams, consumers and store are the user's own. */
    kind: Type.Enum(['built_in', 'external']),
    /** Null: it is built in. */
    external: Nullable(ExternalView),
    sourceIds: Type.Array(Id),
    capacity: Capacity,
    /** Of capacity, for backfills that set neither rate nor share. */
    replayShare: Share,
    /** Of capacity: what replay gets even while live needs everything. At most `replayShare`. */
    replayFloor: Share,
    /** Of capacity: left free beside live. */
    headroom: Share,
    /** Targets of the measured signals; one that is not named has none. */
    signals: SignalTargets,
    /** A reconnected source's backfill waits for a random part of it, ms. */
    reconnectStaggerMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
    maxSourcesReplaying: Type.Integer({ minimum: 1, maximum: 64 }),
    /** Replay stream: the reader stops here. Entries. */
    highWaterMark: Type.Integer({ minimum: 1000 }),
    bucketWidth: Duration,
    allowedLateness: Duration,
    route: Type.Object(
      {
        kind: Type.Enum(['separate', 'shared']),
        /** Why, as someone wrote it down. */
        decision: Type.String(),
        /** What it means for live: whether it is served first, and what is done where it cannot be. */
        consequence: Type.String(),
      },
      strict,
    ),
    /** Null: of a store that is not ours nobody knows. */
    retention: Type.Object({ events: Nullable(Duration) }, strict),
    /** In force now; null: there is none, and nothing is metered in money. */
    priceBook: Nullable(PriceBook),
    demo: Nullable(Type.Object({ liveEventsPerSecond: Type.Integer({ minimum: 0, maximum: 5000 }) }, strict)),
    /** The emergency brake is on: no backfill of this pipeline runs. */
    replayPaused: Type.Boolean(),
    /** The event time live has reached, over all connected sources (the lowest). */
    liveWatermark: Nullable(Timestamp),
    revision: Type.Integer(),
    allowedActions: Type.Array(
      Type.Enum([
        'configure',
        'remove',
        'pause_replay',
        'resume_replay',
        'start_backfill',
        'start_drill',
        'release_drill',
      ]),
    ),
  },
  strict,
);
export type Pipeline = Static<typeof Pipeline>;
export const PipelinePage = Page(Pipeline);

const RouteDecision = Type.Object(
  { kind: Type.Enum(['separate', 'shared']), decision: Type.String({ minLength: 1, maxLength: 500 }) },
  strict,
);

/** Of an external pipeline: one that is built in comes with the installation. */
export const CreatePipeline = Type.Object(
  {
    id: Id,
    title: Type.String({ minLength: 1, maxLength: 200 }),
    kind: Type.Literal('external'),
    external: ExternalDefinition,
    /** Whether live goes through the same stream, and why: only whoever made it knows. */
    route: RouteDecision,
    /** Events/s that its consumers take. Default: unknown, and then a rate has to be asked for. */
    capacityEventsPerSecond: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 })),
    /** Default 0.5. */
    replayShare: Type.Optional(Share),
    /** Default 0. */
    replayFloor: Type.Optional(Share),
    /** Default 0.1. */
    headroom: Type.Optional(Share),
    /** Default 4. */
    maxSourcesReplaying: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
    /** Entries that the slowest group may have unfinished: there the reader stops. Default 10,000. */
    highWaterMark: Type.Optional(Type.Integer({ minimum: 1000, maximum: 100_000_000 })),
  },
  strict,
);
export type CreatePipeline = Static<typeof CreatePipeline>;

export const PatchPipeline = Type.Partial(
  Type.Object({
    /** By hand; null: measure it. */
    capacityEventsPerSecond: Nullable(Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 })),
    replayShare: Share,
    replayFloor: Share,
    headroom: Share,
    signals: SignalTargets,
    reconnectStaggerMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
    maxSourcesReplaying: Type.Integer({ minimum: 1, maximum: 64 }),
    /** At least the largest batch of the applier (1,000). */
    highWaterMark: Type.Integer({ minimum: 1000, maximum: 100_000_000 }),
    /** Refused while a backfill of the pipeline is not finished. `decision`: why, for whoever asks later. */
    route: RouteDecision,
    /** Whole, with its credentials. While backfills are not finished nothing of it but credentials and what is accepted may change. */
    external: ExternalDefinition,
    /** Whole: the next version. */
    priceBook: PutPriceBook,
    demo: Type.Object({ liveEventsPerSecond: Type.Integer({ minimum: 0, maximum: 5000 }) }, strict),
  }),
  { ...strict, minProperties: 1 },
);
export type PatchPipeline = Static<typeof PatchPipeline>;

export const Source = Type.Object(
  {
    id: Id,
    title: Type.String(),
    pipelineId: Id,
    connector: Type.String(),
    range: Nullable(Type.Object({ from: Timestamp, to: Timestamp }, strict)),
    /** Its retention has removed what it held before: no window may begin earlier. Absent: nothing has been removed, as far as is known. */
    wholeFrom: Type.Optional(Timestamp),
    events: Nullable(Count),
    statistics: Nullable(
      Type.Object(
        {
          step: Duration,
          countedAt: Timestamp,
          fingerprint: Type.String(),
          /** False: estimated from the source's own statistics and a sample. Then `events` is null, and quotes have a wider range. */
          exact: Type.Boolean(),
          /** Its rows that are no events: so many a replay of all of it quarantines. Null: unknown, as of what is estimated. */
          rowsQuarantined: Nullable(Count),
        },
        strict,
      ),
    ),
    state: Type.Enum(['connected', 'disconnected', 'failed']),
    /** Of the outage under way, on the clock of its events; null while connected. */
    disconnectedAt: Nullable(Timestamp),
    allowedActions: Type.Array(Type.Enum(['disconnect', 'reconnect'])),
    failure: Nullable(
      Type.Object({ code: Type.String(), detail: Type.String(), address: Nullable(Type.String()) }, strict),
    ),
    liveWatermark: Nullable(Timestamp),
    /** Where its history lies, without credentials; only admins are shown it. Null: part of the installation. */
    history: Type.Optional(Nullable(SourceHistory)),
    /** Only of its history is anything known: no feed of it comes on the live stream. Absent: one does. */
    historyOnly: Type.Optional(Type.Literal(true)),
    /** Changes with its title and where its history lies, not with what is found there. */
    revision: Type.Integer(),
  },
  strict,
);
export type Source = Static<typeof Source>;
export const SourcePage = Page(Source);

/** `at`: on the clock of the source's events; default now (of the demo: the event time its feed has reached). */
export const FeedOutage = Type.Object(
  { at: Type.Optional(Timestamp), reason: Type.Optional(Type.String({ maxLength: 500 })) },
  strict,
);
export type FeedOutage = Static<typeof FeedOutage>;

export const pressures = ['ok', 'low', 'high', 'unknown'] as const;
export const Stage = Type.Object(
  {
    stage: Type.Enum(['source', 'stream', 'aggregate', 'store']),
    eventsPerSecond: Nullable(Type.Number()),
    liveEventsPerSecond: Nullable(Type.Number()),
    replayEventsPerSecond: Nullable(Type.Number()),
    busyRatio: Nullable(Type.Number()),
    blockedRatio: Nullable(Type.Number()),
    idleRatio: Nullable(Type.Number()),
    queueLength: Nullable(Count),
    queueLimit: Nullable(Count),
    latencyMsP50: Nullable(Type.Number()),
    latencyMsP99: Nullable(Type.Number()),
    pressure: Type.Enum([...pressures]),
  },
  strict,
);
export const Stages = Type.Object(
  {
    at: Timestamp,
    stages: Type.Array(Stage),
    bottleneck: Nullable(Type.String()),
    causeChain: Type.Array(Type.String()),
  },
  strict,
);
export type Stages = Static<typeof Stages>;

export const StreamResource = Type.Object(
  {
    name: Type.String(),
    role: Type.Enum(['live', 'replay', 'shared']),
    length: Nullable(Count),
    /** What it is held against: its length; of a stream of the user's own, which keeps what is finished too, its lag. */
    highWaterMark: Nullable(Count),
    lengthBytes: Nullable(Count),
    consumerLag: Nullable(Count),
    consumerLagMs: Nullable(Type.Number()),
    oldestPendingMs: Nullable(Type.Number()),
    retention: Type.String(),
    /** Null: nothing is lost however long replay stays paused; unless `accepted` names `retention`, with which it is unknown, and at most what is told. */
    safePausedForMs: Nullable(Type.Number()),
    /** Absent: nothing. */
    accepted: Type.Optional(AcceptedDangers),
    /** The user's own: who trims it, and when, is not known here, nor how long a pause is safe. Absent: it is ours. */
    external: Type.Optional(Type.Literal(true)),
  },
  strict,
);
export const Streams = Type.Object({ items: Type.Array(StreamResource), nextCursor: Type.Null() }, strict);
export type Streams = Static<typeof Streams>;

/** How fast replay runs: the sum of its backfills, to the tenth, over the last two seconds. */
export const ReplayRate = Type.Object(
  {
    /** Taken by the store, inserted or there already; of a store that is not ours, published. */
    of: Type.Enum(['applied', 'published']),
    /** Null: nobody counts it now. */
    eventsPerSecond: Nullable(Type.Number()),
    /** Those at work, and of what was held or has ended what of it is still applied. */
    backfills: Type.Array(Type.Object({ backfillId: Id, eventsPerSecond: Type.Number() }, strict)),
  },
  strict,
);
export type ReplayRate = Static<typeof ReplayRate>;

export const metricNames = [
  'liveEventsPerSecond',
  'livePublishedEventsPerSecond',
  'replayEventsPerSecond',
  'replayPublishedEventsPerSecond',
  'liveFreshnessMsP50',
  'liveFreshnessMsP99',
  'storeCommitMsP50',
  'storeCommitMsP99',
  'streamLength',
  'replayStreamLength',
  'grantedEventsPerSecond',
  'sourceBusyRatio',
  'sourceBlockedRatio',
  'applyBusyRatio',
  'applyIdleRatio',
  'storeBusyRatio',
  'capacityEventsPerSecond',
  'liveLagEntries',
  'liveLagMs',
  'replayLagEntries',
  'replayLagMs',
  'applyLatencyMsP99',
  'storePoolWaitMsP99',
  'walBytesPerSecond',
  'rowsAttemptedPerSecond',
  'rowsInsertedPerSecond',
  'rowsNoopPerSecond',
  'deadRows',
  'cacheHitRatio',
] as const;
export type MetricName = (typeof metricNames)[number];

export const TelemetryQuery = Type.Object(
  {
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    step: Type.Optional(Type.Enum(['PT1S', 'PT10S', 'PT1M'])),
    /** At most 100, separated by commas; without it every metric. Stages, streams and backfills only by name: `stage.store.busyRatio`, `stream.replay.length`, `backfill.<id>.eventsPerSecond` (how fast it ran, of all at work), `backfill.<id>.appliedEventsPerSecond` (of those that were recorded whole, null else). */
    names: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
  },
  strict,
);
export const Marker = Type.Object(
  {
    at: Timestamp,
    actor: Type.String(),
    action: Type.String(),
    backfillId: Nullable(Type.String()),
    detail: Nullable(Type.String()),
  },
  strict,
);
export const Telemetry = Type.Object(
  {
    step: Duration,
    series: Type.Record(Type.String(), Type.Array(Type.Tuple([Type.Integer(), Nullable(Type.Number())]))),
    markers: Type.Array(Marker),
  },
  strict,
);
export type Telemetry = Static<typeof Telemetry>;

export const CoverageQuery = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    step: Duration,
    /** Given once for each of them; without one, all of the pipeline. */
    source: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 64, uniqueItems: true })),
  },
  strict,
);
export const Coverage = Type.Object(
  {
    step: Duration,
    /**
     * Both sums are of the sources that are counted, so that what is missing of them is seen; where none is, `expected` is null and `stored` of all.
     * `uncounted`: the others of those that were asked for.
     */
    sources: Type.Object({ asked: Count, uncounted: Type.Array(Id) }, strict),
    /** `stored` null: the store is not ours. */
    items: Type.Array(
      Type.Object({ start: Timestamp, expected: Nullable(Count), stored: Nullable(Count) }, strict),
    ),
  },
  strict,
);
export type Coverage = Static<typeof Coverage>;

export const BucketQuery = Type.Object(
  {
    ...PageQuery,
    from: Timestamp,
    to: Timestamp,
    key: Type.Optional(Type.String({ maxLength: 200 })),
    source: Type.Optional(Id),
  },
  strict,
);
export const BucketResource = Type.Object(
  {
    sourceId: Id,
    key: Type.String(),
    start: Timestamp,
    count: Count,
    sum: Type.String(),
    min: Type.Integer(),
    max: Type.Integer(),
    hash: Type.String(),
    version: Type.Integer(),
    final: Type.Boolean(),
  },
  strict,
);
export const BucketPage = Page(BucketResource);
