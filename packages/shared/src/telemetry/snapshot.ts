/**
 * What of a second is kept beside its metrics, and how it becomes again what the screens showed: pure.
 *
 * Numbers of stages and streams are metrics under names of their own (`stage.store.busyRatio`), so that they are rolled up like any other;
 * what is no number is the snapshot. A signal that does not govern is left out of it: its value is a metric already.
 */
import type { Backfill } from '../api/backfill.ts';
import type { TelemetryEvent } from '../api/events.ts';
import { type Alert, type GovernorView, measuredSignals, type Signal } from '../api/governor.ts';
import type { ReplayRate, Stages, Streams } from '../api/pipeline.ts';
import { signalTitles } from '../governor/signal-titles.ts';
import { meanReplay, sumOfReplay } from './replay-rate.ts';
import type { MetricValues } from './roll-up.ts';

type Stage = Stages['stages'][number];
type Stream = Streams['items'][number];

/** What a backfill's progress, rates and commands change. The rest never does, and is read where it is kept. */
export type RecordedBackfill = Pick<
  Backfill,
  | 'id'
  | 'state'
  | 'limits'
  | 'progress'
  | 'effective'
  | 'holds'
  | 'failure'
  | 'verification'
  | 'revision'
  | 'cost'
>;

export interface Snapshot {
  readonly bottleneck: string | null;
  readonly causeChain: readonly string[];
  readonly stages: readonly Pick<Stage, 'stage' | 'pressure'>[];
  readonly streams: readonly Pick<Stream, 'name' | 'role' | 'retention' | 'accepted' | 'external'>[];
  readonly governor: GovernorView | null;
  readonly replayPaused: boolean;
  /** Of each backfill at work, also of those that are left out. Null: nobody counted it. Absent: recorded before it was. */
  readonly replay?: RecordedReplay | null;
  readonly backfills: readonly RecordedBackfill[];
  readonly backfillsLeftOut: number;
  readonly alerts: readonly Pick<Alert, 'id' | 'detail' | 'severity'>[];
}

/** Rates by backfill. */
interface RecordedReplay {
  readonly of: ReplayRate['of'];
  readonly backfills: Readonly<Record<string, number>>;
}

/** Unfinished backfills and raised alerts. */
export interface Standing {
  /** Those that matter most first, not all of them where there are many. */
  readonly backfills: readonly Backfill[];
  /** All of them, counted. */
  readonly unfinished: number;
  readonly alerts: readonly Alert[];
}

/**
 * Of one second, whole: some 2.4 kB each. Fifty that wait for a slot would make a row fifty times as large and say the same, and of sixty-four at work a
 * row would have 150 kB, those that are kept 8 GB. What their sparklines need is kept of all (`replay`): 40 bytes each.
 */
export const BACKFILLS_KEPT = 20;
/** Of one second, the critical and the newest first: a thousand backfills that failed together are a thousand alerts, and may be for a day. */
export const ALERTS_KEPT = 50;

const stageNumbers = [
  'eventsPerSecond',
  'liveEventsPerSecond',
  'replayEventsPerSecond',
  'busyRatio',
  'blockedRatio',
  'idleRatio',
  'queueLength',
  'queueLimit',
  'latencyMsP50',
  'latencyMsP99',
] as const satisfies readonly (keyof Stage)[];
const streamNumbers = [
  'length',
  'highWaterMark',
  'lengthBytes',
  'consumerLag',
  'consumerLagMs',
  'oldestPendingMs',
  'safePausedForMs',
] as const satisfies readonly (keyof Stream)[];

/** As metrics: the unknown ones are left out, which reads as unknown again. */
export function numbersOf({
  stages,
  streams,
}: Pick<TelemetryEvent, 'stages' | 'streams'>): Record<string, number> {
  const numbers: Record<string, number> = {};
  const put = (name: string, value: number | null) => {
    if (value !== null) numbers[name] = value;
  };
  for (const stage of stages.stages)
    for (const field of stageNumbers) put(`stage.${stage.stage}.${field}`, stage[field]);
  for (const stream of streams)
    for (const field of streamNumbers) put(`stream.${stream.role}.${field}`, stream[field]);
  return numbers;
}

export function snapshotOf(
  { stages, streams, governor, replay }: Pick<TelemetryEvent, 'stages' | 'streams' | 'governor' | 'replay'>,
  replayPaused: boolean,
  { backfills, unfinished, alerts }: Standing,
): Snapshot {
  const kept = backfills.slice(0, BACKFILLS_KEPT).map(recorded);
  return {
    bottleneck: stages.bottleneck,
    causeChain: stages.causeChain,
    stages: stages.stages.map(({ stage, pressure }) => ({ stage, pressure })),
    streams: streams.map(({ name, role, retention, accepted, external }) => ({
      name,
      role,
      retention,
      ...(accepted === undefined ? {} : { accepted }),
      ...(external === undefined ? {} : { external }),
    })),
    governor: governor === null ? null : { ...governor, signals: governor.signals.filter(isKept) },
    replayPaused,
    replay: recordedReplay(replay),
    backfills: kept,
    backfillsLeftOut: Math.max(0, unfinished - kept.length),
    alerts: alerts
      .toSorted((a, b) => rankOf(a) - rankOf(b) || b.raisedAt.localeCompare(a.raisedAt))
      .slice(0, ALERTS_KEPT)
      .map(({ id, detail, severity }) => ({ id, detail, severity })),
  };
}

function recordedReplay(replay: ReplayRate | null): RecordedReplay | null {
  if (replay === null || replay.eventsPerSecond === null) return null;
  return {
    of: replay.of,
    backfills: Object.fromEntries(
      replay.backfills.map(({ backfillId, eventsPerSecond }) => [backfillId, eventsPerSecond]),
    ),
  };
}

export function replayFrom({ replay }: Snapshot): ReplayRate | null {
  return replay == null ? null : sumOfReplay(replay.of, new Map(Object.entries(replay.backfills)));
}

function rankOf({ severity }: Alert): number {
  return severity === 'critical' ? 0 : 1;
}

function recorded(backfill: Backfill): RecordedBackfill {
  const { id, state, limits, progress, effective, holds, failure, verification, revision, cost } = backfill;
  return {
    id,
    state,
    limits,
    progress,
    effective,
    holds,
    failure,
    revision,
    verification: { ...verification, mismatches: [] },
    // What it has spent and its budget. What it was quoted never changes; use by item is a page of its own.
    cost:
      cost === null
        ? null
        : {
            ...cost,
            estimate: null,
            estimateMade: null,
            estimateMissing: null,
            comparison: [],
            metered: cost.metered === null ? null : { ...cost.metered, items: [] },
          },
  };
}

const measured: ReadonlySet<string> = new Set(measuredSignals);

function isKept({ name, verdict, failMode }: Signal): boolean {
  return !measured.has(name) || verdict !== 'ungoverned' || failMode !== 'bad';
}

export function stagesFrom(snapshot: Snapshot, values: MetricValues, atMs: number): Stages {
  return {
    at: new Date(atMs).toISOString(),
    stages: snapshot.stages.map(
      ({ stage, pressure }) =>
        ({
          stage,
          pressure,
          ...Object.fromEntries(
            stageNumbers.map((field) => [field, values[`stage.${stage}.${field}`] ?? null]),
          ),
        }) as Stage,
    ),
    bottleneck: snapshot.bottleneck,
    causeChain: [...snapshot.causeChain],
  };
}

export function streamsFrom(snapshot: Snapshot, values: MetricValues): Stream[] {
  return snapshot.streams.map(
    ({ name, role, retention, accepted, external }) =>
      ({
        name,
        role,
        retention,
        ...(accepted === undefined ? {} : { accepted }),
        ...(external === undefined ? {} : { external }),
        ...Object.fromEntries(
          streamNumbers.map((field) => [field, values[`stream.${role}.${field}`] ?? null]),
        ),
      }) as Stream,
  );
}

/** In the order of the signals; how old the value of one that did not govern was is not kept. */
export function governorFrom({ governor }: Snapshot, values: MetricValues): GovernorView | null {
  if (governor === null) return null;
  const kept = new Map(governor.signals.map((signal) => [signal.name, signal]));
  return {
    ...governor,
    signals: [
      ...measuredSignals.map(
        (name): Signal =>
          kept.get(name) ?? {
            name,
            title: signalTitles[name],
            kind: 'measured',
            value: values[name] ?? null,
            ageMs: null,
            target: null,
            worseWhen: name === 'cacheHitRatio' ? 'below' : 'above',
            failMode: 'bad',
            verdict: 'ungoverned',
            detail: null,
          },
      ),
      ...governor.signals.filter(({ name }) => !measured.has(name)),
    ],
  };
}

/** Which of the seconds of a step it is remembered by: a roll-up must not make a bad second look good. Of equals the last. Rates are the step's. */
export function worstSnapshot(
  seconds: readonly { readonly values: MetricValues; readonly snapshot: Snapshot | null }[],
): Snapshot | null {
  let worst: { rank: number; snapshot: Snapshot } | null = null;
  for (const { values, snapshot } of seconds) {
    if (snapshot === null) continue;
    const rank = badnessOf(snapshot, values);
    if (worst === null || rank >= worst.rank) worst = { rank, snapshot };
  }
  if (worst === null) return null;
  const mean = meanReplay(seconds.map(({ snapshot }) => (snapshot === null ? null : replayFrom(snapshot))));
  return { ...worst.snapshot, replay: recordedReplay(mean) };
}

const A_DAY_MS = 86_400_000;

/**
 * A hard stop is worse than a storm, a storm worse than a signal that holds replay back (also for not being readable: then freshness is not known
 * either), that worse than any freshness, and among these the older live is the worse.
 */
function badnessOf({ governor }: Snapshot, values: MetricValues): number {
  const freshnessMs = Math.min(A_DAY_MS, values['liveFreshnessMsP99'] ?? 0);
  return (
    (governor?.hardStop == null ? 0 : 8 * A_DAY_MS) +
    (governor?.storm === true ? 4 * A_DAY_MS : 0) +
    (governor?.signals.some(holdsBack) === true ? 2 * A_DAY_MS : 0) +
    freshnessMs
  );
}

function holdsBack({ verdict, failMode }: Signal): boolean {
  return verdict === 'breached' || (verdict === 'unknown' && failMode === 'bad');
}
