/**
 * What is wrong now. Pure: what the governor saw and a few rows come in, concerns with a sentence each (`sentences.ts`) go out. Whether and when a
 * concern becomes an alert is `settle.ts`'s to say.
 */
import type { AlertCode, GovernorView } from '@spillway/shared/api/governor';
import type { StoppedLane, WorkerRole } from '@spillway/shared/api/worker-protocol';
import { STORE_SILENT_MS } from '@spillway/shared/governor/guard';
import type { Astray } from '../workers/stream-sightings.ts';
import { LOST_AFTER_MS, type LostWorker, lostWorkers, type WorkerFact } from './lost-workers.ts';
import {
  type Said,
  saidOfAstray,
  saidOfBreach,
  saidOfBudget,
  saidOfDrill,
  saidOfFailedBackfill,
  saidOfFailedSource,
  saidOfFullStream,
  saidOfLost,
  saidOfSilentStore,
  saidOfStop,
  saidOfStorm,
  saidOfUnread,
  saidOfUnseenGroups,
} from './sentences.ts';

/** Of one pipeline, at this second. */
export interface AlertInputs {
  readonly pipelineId: string;
  readonly view: GovernorView;
  /** How long the store has owed an answer, ms; null when no applier reports. */
  readonly storeSilentMs: number | null;
  /** It is the applier that is not heard: its silence counts as the store's, and before long it is lost. */
  readonly applierSilent?: boolean;
  /** Who has stalled the store on purpose; null or absent: nobody. */
  readonly drillBy?: string | null;
  readonly replayStreamFull: boolean;
  /** Absent: every lane is applied, or nobody says. */
  readonly stoppedLanes?: readonly StoppedLane[];
  /** Of an external pipeline: whose consumers are the user's own. `unseen`: why its groups cannot be looked at; null: they can. Absent: it is built in. */
  readonly external?: { readonly unseen: string | null; readonly astray: readonly Astray[] };
  readonly runningBackfills: readonly string[];
  /** Streams whose retention runs out while replay waits. */
  readonly pauses?: readonly {
    readonly stream: string;
    readonly severity: AlertRule['severity'];
    readonly detail: string;
    readonly past: string;
  }[];
  /** Of which 80 % and more is spent. */
  readonly budgets?: readonly {
    readonly backfillId: string;
    readonly spent: boolean;
    readonly detail: string;
  }[];
}

/** What the database and the telemetry add. */
export interface AlertFacts {
  /** For how long a worker could have been heard: since this process listens. */
  readonly listeningMs: number;
  /** Every worker of the last day. */
  readonly workers: readonly WorkerFact[];
  /** Pipelines whose live events come from the built-in feed. */
  readonly fedPipelines: ReadonlySet<string>;
  readonly failedSources: readonly {
    readonly id: string;
    readonly pipelineId: string;
    readonly detail: string | null;
  }[];
  /** Failed within {@link failureIsNewsForMs}, and neither retried nor cancelled since. */
  readonly failedBackfills: readonly {
    readonly id: string;
    readonly pipelineId: string;
    readonly detail: string | null;
  }[];
  /** What each backfill has published lately; null when unknown. */
  publishedEventsPerSecond(backfillId: string): number | null;
}

/** At most one alert is raised for each (pipeline, code, subject, backfill). */
export interface AlertPlace {
  readonly pipelineId: string;
  readonly code: AlertCode;
  readonly subject: string | null;
  readonly backfillId: string | null;
}

/** `past`: what it will have said once it is over. */
export interface Concern extends AlertPlace, Said {
  readonly severity: AlertRule['severity'];
}

export interface AlertRule {
  /** As it begins; a concern that gets worse says so itself. */
  readonly severity: 'warning' | 'critical';
  /** A concern must have held for so long. */
  readonly raiseAfterMs: number;
  /** And must have been gone for so long. */
  readonly clearAfterMs: number;
  /** Its sentence stays as it began: it names what the governor takes away at once. */
  readonly keepsSentence?: true;
}

const AT_ONCE_MS = 0;
const HELD_MS = 2_000;
const CALM_MS = 5_000;

export const alertRules: Readonly<Record<AlertCode, AlertRule>> = {
  storm: { severity: 'critical', raiseAfterMs: AT_ONCE_MS, clearAfterMs: CALM_MS, keepsSentence: true },
  store_stalled: { severity: 'critical', raiseAfterMs: AT_ONCE_MS, clearAfterMs: CALM_MS },
  live_at_risk: { severity: 'critical', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  applier_stopped: { severity: 'critical', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  worker_lost: { severity: 'critical', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  signal_unknown: { severity: 'warning', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  stream_full: { severity: 'warning', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  groups_unseen: { severity: 'warning', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  source_failed: { severity: 'warning', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  backfill_failed: { severity: 'warning', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  pause_runs_out: { severity: 'warning', raiseAfterMs: HELD_MS, clearAfterMs: CALM_MS },
  budget_near: { severity: 'warning', raiseAfterMs: AT_ONCE_MS, clearAfterMs: CALM_MS },
};

/** When it was heard last is written down once a second. */
const SILENT_AFTER_MS = 2_000;
/** So long may a first applier take to be heard at a start before its signals are missed. */
const STARTING_MS = 30_000;
/** A failure stays on the list until the next shift has seen it; after that it is history, and the backfill's own page tells it. */
export const failureIsNewsForMs = 24 * 60 * 60_000;

export function concernsOf(seen: readonly AlertInputs[], facts: AlertFacts): Concern[] {
  // Before that nobody could have been heard.
  const lost = lostWorkers(facts.listeningMs < LOST_AFTER_MS ? [] : facts.workers);
  return [
    ...seen.flatMap((inputs) => [
      ...[...stormOf(inputs, facts), ...storeOf(inputs), ...stopsOf(inputs)].map((concern) =>
        meant(concern, inputs),
      ),
      ...signalsOf(inputs, facts),
      ...groupsOf(inputs, lost, facts.listeningMs),
      ...astrayOf(inputs, facts.workers),
      ...budgetsOf(inputs),
      ...pausesOf(inputs),
      ...lostOf(inputs, lost, facts.fedPipelines),
    ]),
    ...facts.failedSources.map(({ id, pipelineId, detail }) => ({
      ...place(pipelineId, 'source_failed', id),
      ...saidOfFailedSource(id, detail),
    })),
    ...facts.failedBackfills.map(({ id, pipelineId, detail }) => ({
      ...place(pipelineId, 'backfill_failed', null, id),
      ...saidOfFailedBackfill(id, detail),
    })),
  ];
}

/** Can this alert be judged by what was looked at? A pipeline the governor has not seen yet is neither well nor ill. */
export function isJudged(alert: AlertPlace, seen: readonly AlertInputs[]): boolean {
  if (alert.code === 'source_failed' || alert.code === 'backfill_failed') return true;
  return seen.some(({ pipelineId }) => pipelineId === alert.pipelineId);
}

/** What a drill brings about is raised as in any other stall. */
function meant(concern: Concern, { drillBy = null }: AlertInputs): Concern {
  return drillBy === null ? concern : { ...concern, ...saidOfDrill(concern, drillBy) };
}

function pausesOf({ pipelineId, pauses = [] }: AlertInputs): Concern[] {
  return pauses.map(({ stream, severity, detail, past }) => ({
    ...place(pipelineId, 'pause_runs_out', stream),
    severity,
    detail,
    past,
  }));
}

function budgetsOf({ pipelineId, budgets = [] }: AlertInputs): Concern[] {
  return budgets.map(({ backfillId, spent, detail }) => ({
    ...place(pipelineId, 'budget_near', null, backfillId),
    ...saidOfBudget(backfillId, spent, detail),
  }));
}

function stormOf({ pipelineId, view, runningBackfills }: AlertInputs, facts: AlertFacts): Concern[] {
  if (!view.storm) return [];
  const replaying = runningBackfills.map((id) => ({ id, rate: facts.publishedEventsPerSecond(id) }));
  // One that has published nothing has not made the storm; when nobody's rate is known, all are named.
  const active = replaying.filter(({ rate }) => rate !== null && rate > 0);
  const named = (active.length > 0 ? active : replaying).toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0));
  return [{ ...place(pipelineId, 'storm'), ...saidOfStorm(named, active.length > 0) }];
}

function storeOf({ pipelineId, storeSilentMs, applierSilent, replayStreamFull }: AlertInputs): Concern[] {
  const concerns: Concern[] = [];
  if (storeSilentMs !== null && storeSilentMs >= STORE_SILENT_MS && applierSilent !== true)
    concerns.push({
      ...place(pipelineId, 'store_stalled'),
      ...saidOfSilentStore(storeSilentMs),
    });
  if (replayStreamFull) concerns.push({ ...place(pipelineId, 'stream_full'), ...saidOfFullStream });
  return concerns;
}

/**
 * While the store is silent, that is what is wrong: `store_stalled` says it. Where one loop applies both lanes both stand by one cause, and nobody is
 * called twice: it is the alert of live's.
 */
function stopsOf({ pipelineId, storeSilentMs, stoppedLanes = [] }: AlertInputs): Concern[] {
  const storeIsSilent = storeSilentMs !== null && storeSilentMs >= STORE_SILENT_MS;
  const stops = stoppedLanes
    .filter(({ code }) => !(storeIsSilent && code === 'store_unavailable'))
    .toSorted((a, b) => a.lane.localeCompare(b.lane));
  return [...Map.groupBy(stops, ({ code, detail }) => `${code} ${detail}`).values()].flatMap((together) => {
    const [first] = together;
    if (first === undefined) return [];
    const { lane, stream } = first;
    return [
      {
        ...place(pipelineId, 'applier_stopped', stream),
        severity: lane === 'live' ? ('critical' as const) : ('warning' as const),
        ...saidOfStop(first, together),
      },
    ];
  });
}

/** While nobody reads, that is what is wrong; and after a start the groups are still to be looked at. */
function groupsOf(
  { pipelineId, external }: AlertInputs,
  lost: ReadonlyMap<WorkerRole, LostWorker>,
  listeningMs: number,
): Concern[] {
  const unseen = external?.unseen ?? null;
  if (unseen === null || lost.has('replay') || listeningMs < STARTING_MS) return [];
  return [{ ...place(pipelineId, 'groups_unseen'), ...saidOfUnseenGroups(unseen) }];
}

function astrayOf({ pipelineId, external }: AlertInputs, workers: readonly WorkerFact[]): Concern[] {
  return (external?.astray ?? []).map((astray) => ({
    ...place(pipelineId, 'groups_unseen', astray.workerId),
    ...saidOfAstray(astray, workers.find(({ id }) => id === astray.workerId)?.host),
  }));
}

function signalsOf(inputs: AlertInputs, { workers, listeningMs }: AlertFacts): Concern[] {
  const { pipelineId, view } = inputs;
  // Without an applier nothing is measured: that it is lost says it all, before long, and after a start it is still to be heard.
  const appliers = workers.filter(({ role, left }) => role === 'apply' && !left);
  const areSilent = appliers.length > 0 && appliers.every(({ silentMs }) => silentMs >= SILENT_AFTER_MS);
  const unheard = inputs.storeSilentMs === null && (areSilent || listeningMs < STARTING_MS);
  const unmeasured = unheard || inputs.applierSilent === true;
  return view.signals.flatMap((signal): Concern[] => {
    // A probe is of what the drill does not touch.
    const told = (concern: Concern) => [signal.kind === 'measured' ? meant(concern, inputs) : concern];
    if (unmeasured && signal.kind === 'measured') return [];
    if (signal.verdict === 'breached')
      return told({ ...place(pipelineId, 'live_at_risk', signal.name), ...saidOfBreach(signal) });
    const holdsReplay = signal.verdict === 'unknown' && signal.failMode === 'bad';
    if (!holdsReplay) return [];
    return told({
      ...place(pipelineId, 'signal_unknown', signal.name),
      ...saidOfUnread(signal, view),
    });
  });
}

function lostOf(
  { pipelineId, external }: AlertInputs,
  lost: ReadonlyMap<WorkerRole, LostWorker>,
  fedPipelines: ReadonlySet<string>,
): Concern[] {
  return [...lost.values()]
    .filter(({ role }) =>
      role === 'feed' ? fedPipelines.has(pipelineId) : role === 'replay' || external === undefined,
    )
    .map((worker) => ({ ...place(pipelineId, 'worker_lost', worker.id), ...saidOfLost(worker) }));
}

function place(
  pipelineId: string,
  code: AlertCode,
  subject: string | null = null,
  backfillId: string | null = null,
): Omit<Concern, keyof Said> {
  return { pipelineId, code, subject, backfillId, severity: alertRules[code].severity };
}
