/** What governs replay now: the measured signals and their targets, the pipeline's own ceilings, and what is wrong. */
import { type Static, Type } from 'typebox';
import { Ceiling } from './backfill.ts';
import { Id, Nullable, Page, PageQuery, PastPipelineId, strict, Timestamp } from './primitives.ts';

/**
 * Measured by Spillway itself, from the workers' reports. All but the last are worse when they rise. Units end the names.
 * `liveFreshnessMsP99`: publish to applied over the last two seconds or the last ten, whichever is less (so are the p99s of
 * apply latency and pool wait), and never less than the age of the oldest live entry not yet applied, so that a store that stands still
 * cannot look fresh.
 */
export const measuredSignals = [
  'liveFreshnessMsP99',
  'liveFreshnessMsP50',
  'liveLagEntries',
  'liveLagMs',
  'replayLagEntries',
  'replayLagMs',
  'streamLength',
  'applyLatencyMsP99',
  'storeCommitMsP99',
  'storePoolWaitMsP99',
  'walBytesPerSecond',
  'rowsAttemptedPerSecond',
  'rowsInsertedPerSecond',
  'rowsNoopPerSecond',
  'deadRows',
  'cacheHitRatio',
] as const;
export type MeasuredSignal = (typeof measuredSignals)[number];

/** What a signal that cannot be read counts as: `bad` (the default) holds replay to its floor, `ignore` leaves it out. */
export const failModes = ['bad', 'ignore'] as const;
export type FailMode = (typeof failModes)[number];
export const worseWhen = ['above', 'below'] as const;

/** `near`: less than a fifth within the target, where neither growing nor cutting would be right. `ungoverned`: it has no target. */
export const signalVerdicts = ['ok', 'near', 'breached', 'unknown', 'ungoverned'] as const;
export type SignalVerdict = (typeof signalVerdicts)[number];

export const Signal = Type.Object(
  {
    /** A measured signal's name, or a probe's id. */
    name: Type.String(),
    title: Type.String(),
    kind: Type.Enum(['measured', 'probe']),
    value: Nullable(Type.Number()),
    /** Since it was measured; null when it never was. */
    ageMs: Nullable(Type.Number()),
    target: Nullable(Type.Number()),
    worseWhen: Type.Enum([...worseWhen]),
    failMode: Type.Enum([...failModes]),
    verdict: Type.Enum([...signalVerdicts]),
    /** Why it is unknown, in words. */
    detail: Nullable(Type.String()),
  },
  strict,
);
export type Signal = Static<typeof Signal>;

/** Targets of the measured signals, by name, as `PATCH /v1/pipelines/{id}` takes them: what is not named stays as it is. */
const targetUpTo = (maximum: number) =>
  Type.Object(
    {
      /** Null: shown, but it does not govern. */
      target: Nullable(Type.Number({ exclusiveMinimum: 0, maximum })),
      failMode: Type.Enum([...failModes]),
    },
    strict,
  );
export const SignalTarget = targetUpTo(1e15);
export type SignalTarget = Static<typeof SignalTarget>;
/** Beyond 1 no ratio could ever be well, and replay would be held to its floor for good. */
const RatioTarget = targetUpTo(1);
export const SignalTargets = Type.Partial(
  Type.Object(
    Object.fromEntries(
      measuredSignals.map((name) => [name, name === 'cacheHitRatio' ? RatioTarget : SignalTarget]),
    ) as Record<MeasuredSignal, typeof SignalTarget>,
  ),
  strict,
);
export type SignalTargets = Partial<Record<MeasuredSignal, SignalTarget>>;

export const SafeRate = Type.Object(
  { eventsPerSecond: Nullable(Type.Number({ minimum: 0 })), why: Type.String() },
  strict,
);
export type SafeRate = Static<typeof SafeRate>;

export const GovernorView = Type.Object(
  {
    at: Timestamp,
    /** Set: nothing is replayed, not even the floor. */
    hardStop: Nullable(Type.String()),
    /** live_first, adaptive, storm, stream: for all replay of the pipeline together. */
    ceilings: Type.Array(Ceiling),
    floorEventsPerSecond: Type.Number(),
    adaptivePhase: Type.Enum(['off', 'slow_start', 'avoidance', 'frozen']),
    /** Live lag has been growing while replay runs. */
    storm: Type.Boolean(),
    signals: Type.Array(Signal),
    safeRate: SafeRate,
  },
  strict,
);
export type GovernorView = Static<typeof GovernorView>;

const probeFields = {
  title: Type.String({ minLength: 1, maxLength: 100 }),
  kind: Type.Enum(['sql', 'promql', 'http_json']),
  /** `postgres://…` for sql; `http(s)://…` of the Prometheus server or of the JSON. Credentials are never shown again. */
  url: Type.String({ minLength: 1, maxLength: 2_000 }),
  /** sql: one statement with one number as its answer; promql: an instant query with one sample. Absent for http_json. */
  query: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 10_000 }))),
  /** http_json: JSON pointer to the number. */
  pointer: Type.Optional(Nullable(Type.String({ maxLength: 1_000 }))),
  target: Nullable(Type.Number({ exclusiveMinimum: 0, maximum: 1e15 })),
  worseWhen: Type.Enum([...worseWhen]),
  failMode: Type.Enum([...failModes]),
  intervalMs: Type.Integer({ minimum: 1_000, maximum: 3_600_000 }),
  timeoutMs: Type.Integer({ minimum: 100, maximum: 30_000 }),
};
export const CreateProbe = Type.Object(probeFields, strict);
export type CreateProbe = Static<typeof CreateProbe>;

/** A user's own signal. The url's password is left out. */
export const Probe = Type.Object(
  {
    id: Id,
    pipelineId: Id,
    ...probeFields,
    query: Nullable(Type.String()),
    pointer: Nullable(Type.String()),
    createdBy: Type.String(),
    createdAt: Timestamp,
  },
  strict,
);
export type Probe = Static<typeof Probe>;
export const ProbePage = Page(Probe);

/**
 * What is wrong. `code` is stable: `storm`, `live_at_risk` (a governing live signal is breached), `applier_stopped` (it tries again and gets no further), `signal_unknown`, `store_stalled`,
 * `stream_full`, `groups_unseen` (of an external pipeline), `worker_lost`, `source_failed`, `backfill_failed`, `budget_near` (80 % of a budget and more),
 * `pause_runs_out` (what is not applied is soon lost to retention).
 */
export const alertCodes = [
  'storm',
  'live_at_risk',
  'applier_stopped',
  'signal_unknown',
  'store_stalled',
  'stream_full',
  'groups_unseen',
  'worker_lost',
  'source_failed',
  'backfill_failed',
  'budget_near',
  'pause_runs_out',
] as const;
export type AlertCode = (typeof alertCodes)[number];
/**
 * `detail` follows what is measured while it is raised, every few seconds; each change is an `alert` event with the same id. Once it is cleared it says, in
 * the past tense, what was.
 */
export const Alert = Type.Object(
  {
    id: Id,
    pipelineId: PastPipelineId,
    backfillId: Nullable(Id),
    code: Type.Enum([...alertCodes]),
    /** What of it: a signal's name, a source, a worker; null when there can be only one. */
    subject: Nullable(Type.String()),
    severity: Type.Enum(['warning', 'critical']),
    detail: Type.String(),
    raisedAt: Timestamp,
    clearedAt: Nullable(Timestamp),
  },
  strict,
);
export type Alert = Static<typeof Alert>;
export const AlertPage = Page(Alert);
export const AlertQuery = Type.Object(
  {
    ...PageQuery,
    pipelineId: Type.Optional(PastPipelineId),
    state: Type.Optional(Type.Enum(['raised', 'cleared'])),
  },
  strict,
);

export const StartDrill = Type.Object({ forMs: Type.Integer({ minimum: 100, maximum: 30_000 }) }, strict);
export type StartDrill = Static<typeof StartDrill>;

/** A fire drill: the store really stands still for a while, and this is what happened. Null: it has not, or could not be seen. */
export const Drill = Type.Object(
  {
    id: Id,
    pipelineId: Id,
    state: Type.Enum(['stalling', 'recovering', 'finished', 'failed']),
    forMs: Type.Integer(),
    startedBy: Type.String(),
    requestedAt: Timestamp,
    stalledAt: Nullable(Timestamp),
    stages: Type.Array(
      Type.Object(
        { stage: Type.Enum(['store', 'aggregate', 'stream', 'source']), filledAt: Nullable(Timestamp) },
        strict,
      ),
    ),
    /** At its gate, the stream's high-water mark. */
    readerStoppedAt: Nullable(Timestamp),
    /** The governor gave replay nothing any more, though it was wanted. Where it comes first, the reader never gets to its gate. */
    governorStoppedAt: Nullable(Timestamp),
    /** Most entries the replay's stream held. */
    peakBacklog: Nullable(Type.Integer()),
    releasedAt: Nullable(Timestamp),
    /** Who wanted it over before its time: from that moment on, which is shortly before the release. Null: nobody. */
    releasedBy: Nullable(Type.String()),
    /** Live signals in target, backlog worked off, replay at nine tenths of its rate before. */
    recoveredAt: Nullable(Timestamp),
    detail: Nullable(Type.String()),
  },
  strict,
);
export type Drill = Static<typeof Drill>;
export const DrillPage = Page(Drill);
