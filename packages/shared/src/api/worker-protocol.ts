/**
 * What api and workers say to each other.
 *
 * Every number a worker reports is absolute (since the attempt, the process or the backfill began), never a delta: a tick
 * that arrives twice, or not at all, changes nothing but the age of what is known.
 */
import { type Static, Type } from 'typebox';
import { BucketMismatch, Failure } from './backfill.ts';
import { ExternalDefinition, ExternalReport } from './external.ts';
import { AcceptedDangers, Count, Id, Nullable, strict } from './primitives.ts';
import { UsageReport } from './usage-report.ts';

export const workerRoles = ['replay', 'apply', 'feed'] as const;
export type WorkerRole = (typeof workerRoles)[number];

/**
 * 2: external pipelines. 3: ticks say what a lease was granted. 4: a join says which store and which streams the worker has.
 * 5: an entry of a Redis stream is a pack.
 */
export const protocolVersion = 5;
/** What a worker may be told to be good for. `isolated`: it reads for backfills that ask to be kept away from where live is served. */
export const workerTags = ['isolated'] as const;
export type WorkerTag = (typeof workerTags)[number];
/** Leases a worker may hold at a time. */
export const leasesPerWorker = { min: 1, max: 16, default: 8 } as const;

export const leaseMs = 10_000;
export const renewMs = 2_500;
export const tickMs = 250;
export const grantValidMs = 2_000;

/** Of a store, or of the streams: made once where they are, and the same for whoever reaches them, by whatever address. */
export const Identity = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 200 }),
    /** Where it is, for people: without credentials. */
    name: Type.String({ maxLength: 1_000 }),
  },
  strict,
);
export type Identity = Static<typeof Identity>;

/** The id of a store that nobody has migrated yet. */
export const noIdentity = 'none';

/** Why it is not known (yet): the code of an error. */
const Unread = Type.Object({ code: Type.String({ maxLength: 64 }) }, strict);
export type Unread = Static<typeof Unread>;

/** Absent: the worker has no use for it, or it has no identity that lasts. */
export const Identities = Type.Object(
  {
    store: Type.Optional(Type.Union([Identity, Unread])),
    streams: Type.Optional(Type.Union([Identity, Unread])),
  },
  strict,
);
export type Identities = Static<typeof Identities>;

export const JoinWorker = Type.Object(
  {
    role: Type.Enum([...workerRoles]),
    protocolVersion: Type.Integer(),
    pid: Type.Integer(),
    host: Type.String({ maxLength: 255 }),
    /** Has to be the api's own: what a tick means may change between two versions. */
    version: Type.String({ maxLength: 64 }),
    tags: Type.Optional(Type.Array(Type.Enum([...workerTags]), { maxItems: 8, uniqueItems: true })),
    /** Have to be those of the installation, where it has a pipeline of its own. */
    identities: Type.Optional(Identities),
    /** Of a replay worker: how many leases it will hold at a time. */
    leasesMax: Type.Optional(Type.Integer({ minimum: leasesPerWorker.min, maximum: leasesPerWorker.max })),
    /**
     * The processes of this host in whose place this one was started, by somebody who saw them end: their leases are free at once. Several
     * where one ended before it had joined. `endedForMs`: all of them for so long at least, in ms. Whoever has been heard since is another:
     * pids come again, and containers may share a host's name.
     */
    replaces: Type.Optional(
      Type.Object(
        {
          pids: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 16 }),
          endedForMs: Type.Integer({ minimum: 0 }),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type JoinWorker = Static<typeof JoinWorker>;

const SourceConfig = Type.Object(
  {
    sourceId: Id,
    connector: Type.String(),
    config: Type.Unknown(),
    fingerprint: Nullable(Type.String()),
    /** False while its feed is cut: the demo's feed leaves its live events out. */
    connected: Type.Boolean(),
  },
  strict,
);

/** An outage of a source's feed. */
const WantedOutage = Type.Object(
  {
    outageId: Id,
    sourceId: Id,
    /** The source is connected again. */
    ended: Type.Boolean(),
  },
  strict,
);
export type WantedOutage = Static<typeof WantedOutage>;

/** The part of a pipeline a worker has to know. */
export const WorkerPipeline = Type.Object(
  {
    pipelineId: Id,
    bucketMs: Type.Integer(),
    liveStream: Type.String(),
    replayStream: Type.String(),
    /** Shared: replay publishes on the live stream. */
    route: Type.Enum(['separate', 'shared']),
    highWaterMark: Type.Integer(),
    /** What live freshness may be, p99, ms; null: no target. The applier sizes its batches, the reader its share of a shared stream by it. */
    freshnessTargetMs: Nullable(Type.Number()),
    /** Replay rows/s that the applier serves even while live entries wait. */
    floorEventsPerSecond: Type.Number(),
    /** The same as a part of capacity, 0..1. */
    floorShare: Type.Number(),
    sources: Type.Array(SourceConfig),
    /**
     * Outages whose extent the control plane does not know yet. The live feed leaves out the events of a source with one that has not
     * ended, and answers each in its ticks until it is not named here any more.
     */
    outages: Type.Array(WantedOutage),
    liveEventsPerSecond: Nullable(Type.Number()),
    /** The apply worker measures before the first replay. */
    calibrate: Type.Boolean(),
    /** Backfills that are not over, the latest 64, as of the telling: what an applier that was killed had counted of them and not told, its successor tells. */
    unfinished: Type.Array(Id),
    /** The user's own, with its credentials; told to replay workers alone. Absent: it is built in. */
    external: Type.Optional(ExternalDefinition),
  },
  strict,
);
export type WorkerPipeline = Static<typeof WorkerPipeline>;

/** What an apply worker serves: the stream of live, or that of replay. */
export const ApplyLane = Type.Enum(['live', 'replay']);
export type ApplyLane = Static<typeof ApplyLane>;

const ApplyLanes = Type.Optional(Type.Array(ApplyLane, { maxItems: 2 }));

export const Joined = Type.Object(
  {
    workerId: Id,
    /** Another worker of this role is at work: keep ticking, you take over when it is gone. Only for apply and feed. */
    standby: Type.Boolean(),
    /** Of an apply worker: what it applies from now on; none while it stands by. */
    lanes: ApplyLanes,
    pipelines: Type.Array(WorkerPipeline),
  },
  strict,
);
export type Joined = Static<typeof Joined>;

export const Grant = Type.Object(
  {
    leaseId: Id,
    /** Rises with every change; a tick says which one is in force. */
    sequence: Type.Integer(),
    eventsPerSecond: Type.Number(),
    validForMs: Type.Integer(),
    /** After `validForMs` without a new grant, until the lease's deadline. */
    safeEventsPerSecond: Type.Number(),
  },
  strict,
);
export type Grant = Static<typeof Grant>;

export const Lease = Type.Object(
  {
    id: Id,
    kind: Type.Enum(['replay', 'verify']),
    fencingToken: Type.Integer(),
    /** From now, by the database's clock; the worker counts it on its monotonic clock, from before it asked. */
    deadlineMs: Type.Integer(),
    pipelineId: Id,
    backfillId: Id,
    sourceId: Id,
    /** The run of subwindows, epoch ms, half-open. */
    from: Type.Integer(),
    to: Type.Integer(),
    subwindowMs: Type.Integer(),
    attempt: Type.Integer(),
    /** Where the last attempt's checkpoint was, and what it had published until there. */
    cursor: Nullable(Type.String()),
    published: Count,
    read: Count,
    quarantined: Count,
    again: Count,
    ahead: Count,
    grant: Grant,
    /** Of a verify lease: how fast it may compare, events/s. Null: of a replay lease, or no rate is known. */
    proofEventsPerSecond: Nullable(Type.Number({ exclusiveMinimum: 0 })),
  },
  strict,
);
export type Lease = Static<typeof Lease>;

export const ClaimLeases = Type.Object(
  { max: Type.Integer({ minimum: 1, maximum: leasesPerWorker.max }) },
  strict,
);
export const ClaimedLeases = Type.Object({ leases: Type.Array(Lease) }, strict);
export type ClaimedLeases = Static<typeof ClaimedLeases>;

/** Of what is published, what an earlier attempt had published already. Absent: nothing. */
const Again = Type.Optional(Count);
/** Of what is published, what lies beyond the cursor: an attempt that begins there publishes it once more. Absent: nothing. */
const Ahead = Type.Optional(Count);

/** Most entries on the stream after an append of this attempt. Absent, or 0: it has made none. */
const StreamPeak = Type.Optional(Count);

export const LeaseReport = Type.Object(
  {
    leaseId: Id,
    fencingToken: Type.Integer(),
    /** Durable up to here. */
    cursor: Nullable(Type.String()),
    read: Count,
    published: Count,
    quarantined: Count,
    again: Again,
    ahead: Ahead,
    grantSequence: Type.Integer(),
    /** Of that grant, also when it has run out: an api that has been started anew does not know it. */
    grantedEventsPerSecond: Type.Number({ minimum: 0 }),
    /** The worker has stopped and gives the lease back (pause, cancel, drain); nothing more of it will be published. */
    stopped: Type.Boolean(),
    bucketsChecked: Count,
    bucketsMatched: Count,
    eventsChecked: Count,
    streamPeak: StreamPeak,
  },
  strict,
);
export type LeaseReport = Static<typeof LeaseReport>;

const StageTimes = Type.Object(
  {
    busyRatio: Nullable(Type.Number()),
    blockedRatio: Nullable(Type.Number()),
    idleRatio: Nullable(Type.Number()),
  },
  strict,
);

export const StreamReport = Type.Object(
  {
    stream: Type.String(),
    length: Nullable(Count),
    lengthBytes: Nullable(Count),
    lagEntries: Nullable(Count),
    lagMs: Nullable(Type.Number()),
    /** Of the newest entry ever appended; null: there has been none. Absent: not told. */
    lastOffset: Type.Optional(Nullable(Type.String())),
    /** Committed in the store: everything up to and including it is applied. */
    position: Nullable(Type.String()),
    /** Since the process began. */
    eventsApplied: Count,
    /** The backbone drops entries beyond these, applied or not; absent: it drops nothing that is not applied. */
    retention: Type.Optional(
      Type.Object({ ms: Nullable(Type.Number()), entries: Nullable(Count), bytes: Nullable(Count) }, strict),
    ),
    /** Absent: nothing. */
    accepted: Type.Optional(AcceptedDangers),
  },
  strict,
);

/** A lane that its applier does not apply, though it tries again twice a second: what stopped it last, and for how long it has stood, ms. */
export const StoppedLane = Type.Object(
  {
    lane: ApplyLane,
    stream: Type.String(),
    /** Of the stream or the store; `apply_failed`: it has none of its own. */
    code: Type.String(),
    detail: Type.String(),
    forMs: Type.Number({ minimum: 0 }),
  },
  strict,
);
export type StoppedLane = Static<typeof StoppedLane>;

/** Publish to applied of every live event since the process began: counts by the histogram's places (see apply/histogram.ts). */
export const FreshnessHistogram = Type.Object(
  { samples: Count, places: Type.Array(Type.Tuple([Type.Integer(), Count]), { maxItems: 400 }) },
  strict,
);
export type FreshnessHistogram = Static<typeof FreshnessHistogram>;

/** The store as its adapter can see it; null is unknown, never zero. Counts since the process began. */
const StoreReport = Type.Object(
  {
    rowsAttempted: Count,
    rowsInserted: Count,
    rowsNoop: Count,
    /** The commit or query under way has been waiting so long for its answer, ms; 0: none is. */
    silentMs: Type.Number(),
    poolWaitMsP99: Nullable(Type.Number()),
    walBytes: Nullable(Count),
    deadRows: Nullable(Count),
    /** 0..1 over the last second or so. */
    cacheHitRatio: Nullable(Type.Number()),
  },
  strict,
);

/** The reader's gate at a stream's high-water mark. */
const GateReport = Type.Object(
  {
    stream: Type.String(),
    closed: Type.Boolean(),
    /** When it last closed and opened, epoch ms of the worker's clock; null: never. */
    closedAt: Nullable(Type.Integer()),
    openedAt: Nullable(Type.Integer()),
    /** Longest length it has seen since it last opened. */
    peakLength: Nullable(Count),
  },
  strict,
);

export const QuarantineReport = Type.Object(
  { backfillId: Id, sourceId: Id, address: Type.String(), code: Type.String(), detail: Type.String() },
  strict,
);

export type QuarantineReport = Static<typeof QuarantineReport>;

/** What is told by stream: with more than that the others come with the next ticks, and what was told of them holds until then. */
export const streamsATick = 256;

export const Tick = Type.Object(
  {
    /** Rises by one; an older tick than the last is ignored. */
    sequence: Type.Integer(),
    leases: Type.Array(LeaseReport),
    /** Rows the readers could not parse; kept by the control plane, at most 100 a tick. */
    quarantined: Type.Array(QuarantineReport, { maxItems: 100 }),
    replay: Nullable(
      Type.Object(
        {
          eventsPublished: Count,
          /** The same by the stream it went to, of those it may go to now. Absent: there is one. */
          published: Type.Optional(
            Type.Array(Type.Object({ stream: Type.String(), events: Count }, strict), {
              maxItems: streamsATick,
            }),
          ),
          stage: Type.Object(
            {
              ...StageTimes.properties,
              /** Of the same time, within `busyRatio`: the stream's server took what was appended. Absent: not told. */
              appendRatio: Type.Optional(Type.Number()),
            },
            strict,
          ),
          gates: Type.Array(GateReport),
          /** What it sees of external pipelines. Absent: there is none. */
          external: Type.Optional(Type.Array(ExternalReport, { maxItems: streamsATick })),
        },
        strict,
      ),
    ),
    apply: Nullable(
      Type.Object(
        {
          /** What it applies, and of what alone it reports. Absent: both. */
          lanes: ApplyLanes,
          /** Two workers may apply one lane each. Null or absent: nobody has asked the store. */
          commitsSideBySide: Type.Optional(Nullable(Type.Boolean())),
          stage: StageTimes,
          storeBusyRatio: Nullable(Type.Number()),
          streams: Type.Array(StreamReport),
          /** Of the lanes that it applies. Absent: none stands. */
          stopped: Type.Optional(Type.Array(StoppedLane, { maxItems: 2 })),
          counters: Type.Array(
            Type.Object({ backfillId: Id, applied: Count, duplicate: Count, quarantined: Count }, strict),
          ),
          /** Over the last two seconds or the last ten, whichever is less. */
          freshnessMsP50: Nullable(Type.Number()),
          freshnessMsP99: Nullable(Type.Number()),
          freshness: FreshnessHistogram,
          /**
           * A publisher of live is ahead of this applier's clock by at least so much, ms, which is more than clocks may differ: how old live
           * events are is unknown. Null or absent: none is.
           */
          clockAheadMs: Type.Optional(Nullable(Type.Number())),
          /** Read from the stream to applied, ms: what a batch takes in the applier; looks back as freshness does. */
          applyLatencyMsP99: Nullable(Type.Number()),
          /** Rows applied or already there since the process began, by publisher: on a shared stream the stream's own count is both. */
          liveEventsApplied: Count,
          replayEventsApplied: Count,
          store: StoreReport,
          commitMsP50: Nullable(Type.Number()),
          commitMsP99: Nullable(Type.Number()),
          watermarks: Type.Record(Type.String(), Type.Integer(), strict),
          /** Rate the applier could reach at the batches it uses: applied ÷ busy; null while it was too idle to say. */
          capacityEventsPerSecond: Nullable(Type.Number()),
          calibrated: Nullable(
            Type.Object({ eventsPerSecond: Type.Number(), commitMsP99: Type.Number() }, strict),
          ),
        },
        strict,
      ),
    ),
    feed: Nullable(
      Type.Object(
        {
          eventsPublished: Count,
          eventTime: Nullable(Type.Integer()),
          /** What each named outage left out, event time, half-open; `to` is null until it is over. As durable as the feed's place. */
          outages: Type.Array(
            Type.Object(
              { outageId: Id, sourceId: Id, from: Type.Integer(), to: Nullable(Type.Integer()) },
              strict,
            ),
          ),
        },
        strict,
      ),
    ),
    /** For the meter, one for each pipeline it works for. Absent: a worker that does not count. */
    usage: Type.Optional(Type.Array(UsageReport, { maxItems: 16 })),
    rssBytes: Count,
    cpuMs: Count,
  },
  strict,
);
export type Tick = Static<typeof Tick>;

export const TickAnswer = Type.Object(
  {
    standby: Type.Boolean(),
    /** As in {@link Joined}: what another worker is told to apply is no longer this one's. */
    lanes: ApplyLanes,
    /** Of an apply worker: what live has seen lately, ms, whoever applies it. Null: nobody can say. */
    liveFreshnessMsP99: Type.Optional(Nullable(Type.Number())),
    leases: Type.Array(
      Type.Object(
        {
          leaseId: Id,
          verdict: Type.Enum(['renewed', 'stale_fencing_token']),
          deadlineMs: Type.Integer(),
          grant: Nullable(Grant),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type TickAnswer = Static<typeof TickAnswer>;

export const CompleteLease = Type.Object(
  {
    fencingToken: Type.Integer(),
    read: Count,
    published: Count,
    quarantined: Count,
    again: Again,
    streamPeak: StreamPeak,
    /** One per partition of the replay stream; empty for a verify lease. */
    markers: Type.Array(Type.Object({ partition: Type.Integer(), offset: Type.String() }, strict)),
    verification: Nullable(
      Type.Object(
        {
          state: Type.Enum(['matched', 'mismatched', 'unavailable']),
          bucketsChecked: Count,
          bucketsMatched: Count,
          eventsChecked: Count,
          detail: Nullable(Type.String()),
          mismatches: Type.Array(BucketMismatch, { maxItems: 100 }),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type CompleteLease = Static<typeof CompleteLease>;

/** `POST /v1/leases/{id}/fail`: the attempt cannot succeed as things are (missing file, corrupt row group). */
export const FailLease = Type.Object(
  { fencingToken: Type.Integer(), failure: Failure, retriable: Type.Boolean() },
  strict,
);
export type FailLease = Static<typeof FailLease>;

/** `POST /v1/workers/{id}/statistics`: what a replay worker counted. Counts are gzip'd little-endian Uint32 arrays in base64. */
export const ReportStatistics = Type.Object(
  {
    sourceId: Id,
    fingerprint: Type.String(),
    from: Type.Integer(),
    to: Type.Integer(),
    /** Where the first step begins. */
    countFrom: Type.Integer(),
    stepMs: Type.Integer(),
    counts: Type.String({ maxLength: 8_000_000 }),
    laps: Nullable(Type.Object({ spanMs: Type.Integer(), laps: Type.Integer() }, strict)),
    /** From statistics and a sample of a source that is too large to be scanned. */
    estimated: Type.Optional(Type.Boolean()),
    /** Its rows that are no events: so many a replay of all of it quarantines. Absent: unknown. */
    rowsQuarantined: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Retention has removed what the source held before, epoch ms; absent: nothing, as far as is known. */
    wholeFrom: Type.Optional(Type.Integer()),
    /** How long it was looked at, ms: others leave what is written to all the time alone for as long as that asks for. */
    tookMs: Type.Optional(Type.Integer({ minimum: 0 })),
    failure: Nullable(Failure),
  },
  strict,
);
export type ReportStatistics = Static<typeof ReportStatistics>;

/**
 * Pushed on `GET /v1/workers/{id}/grants` (SSE; the event's name is `type`).
 * `stop`: publish nothing more for the backfill, then report the lease as `stopped` in an immediate tick; `called_back`: go on to the next checkpoint,
 * if it is seconds away. Such a lease is named again until it has been given back.
 * `wake`: there is something to claim. `count`: the source is new, or has another history. `counted`: another worker has told of a source. `pipelines`: all that there are; any other has been removed.
 */
export const WorkerPush = Type.Union([
  Type.Object({ type: Type.Literal('grants'), grants: Type.Array(Grant) }, strict),
  Type.Object(
    {
      type: Type.Literal('stop'),
      leaseIds: Type.Array(Id),
      why: Type.Enum(['pause', 'cancel', 'revoked', 'called_back']),
    },
    strict,
  ),
  Type.Object({ type: Type.Literal('wake') }, strict),
  Type.Object({ type: Type.Literal('count'), pipelineId: Id, sourceId: Id }, strict),
  Type.Object(
    { type: Type.Literal('counted'), sourceId: Id, by: Id, tookMs: Type.Integer({ minimum: 0 }) },
    strict,
  ),
  Type.Object({ type: Type.Literal('settings'), pipeline: WorkerPipeline }, strict),
  Type.Object({ type: Type.Literal('pipelines'), pipelineIds: Type.Array(Id) }, strict),
  Type.Object({ type: Type.Literal('heartbeat') }, strict),
]);
export type WorkerPush = Static<typeof WorkerPush>;
