/**
 * What is wrong now. Pure: what the governor saw and a few rows come in, concerns with a sentence each go out. Whether and when a
 * concern becomes an alert is `settle.ts`'s to say.
 */
import type { AlertCode, GovernorView, Signal } from '@spillway/shared/api/governor';
import type { StoppedLane, WorkerRole } from '@spillway/shared/api/worker-protocol';
import { STORE_SILENT_MS } from '@spillway/shared/governor/guard';
import type { Astray } from '../workers/stream-sightings.ts';
import { LOST_AFTER_MS, type LostWorker, lostWorkers, type WorkerFact } from './lost-workers.ts';

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

export interface Concern extends AlertPlace {
  readonly severity: AlertRule['severity'];
  readonly detail: string;
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
      detail: `Source ${id} has failed${because(detail)}`,
    })),
    ...facts.failedBackfills.map(({ id, pipelineId, detail }) => ({
      ...place(pipelineId, 'backfill_failed', null, id),
      detail: `${id} failed${because(detail)} What it did is kept: retry or cancel it.`,
    })),
  ];
}

/** Can this alert be judged by what was looked at? A pipeline the governor has not seen yet is neither well nor ill. */
export function isJudged(alert: AlertPlace, seen: readonly AlertInputs[]): boolean {
  if (alert.code === 'source_failed' || alert.code === 'backfill_failed') return true;
  return seen.some(({ pipelineId }) => pipelineId === alert.pipelineId);
}

/** What a drill brings about is raised as in any other stall; whoever is woken by it reads first that somebody means it. */
function meant(concern: Concern, { drillBy = null }: AlertInputs): Concern {
  return drillBy === null ? concern : { ...concern, detail: `${DRILL} ${drillBy}. ${concern.detail}` };
}

const DRILL = 'Fire drill by';

export function isOfDrill({ detail }: Pick<Concern, 'detail'>): boolean {
  return detail.startsWith(DRILL);
}

function pausesOf({ pipelineId, pauses = [] }: AlertInputs): Concern[] {
  return pauses.map(({ stream, severity, detail }) => ({
    ...place(pipelineId, 'pause_runs_out', stream),
    severity,
    detail,
  }));
}

function budgetsOf({ pipelineId, budgets = [] }: AlertInputs): Concern[] {
  return budgets.map(({ backfillId, spent, detail }) => ({
    ...place(pipelineId, 'budget_near', null, backfillId),
    detail: spent
      ? `The budget of ${backfillId} is spent: ${detail}. It is held until the budget is raised.`
      : `The budget of ${backfillId} is nearly spent: ${detail}.`,
  }));
}

function stormOf({ pipelineId, view, runningBackfills }: AlertInputs, facts: AlertFacts): Concern[] {
  if (!view.storm) return [];
  const replaying = runningBackfills.map((id) => ({ id, rate: facts.publishedEventsPerSecond(id) }));
  // One that has published nothing has not made the storm; when nobody's rate is known, all are named.
  const active = replaying.filter(({ rate }) => rate !== null && rate > 0);
  const named = (active.length > 0 ? active : replaying).toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0));
  const who = named.map(({ id, rate }) => (rate === null ? id : `${id} publishes ${inWords(rate)} events/s`));
  const while_ =
    named.length === 0 ? 'replay runs' : active.length === 0 ? `${listed(who)} ran` : listed(who);
  return [
    {
      ...place(pipelineId, 'storm'),
      detail: `Replay storm: live has been falling behind while ${while_}; replay is held to the floor until live has caught up.`,
    },
  ];
}

function storeOf({ pipelineId, storeSilentMs, applierSilent, replayStreamFull }: AlertInputs): Concern[] {
  const concerns: Concern[] = [];
  if (storeSilentMs !== null && storeSilentMs >= STORE_SILENT_MS && applierSilent !== true)
    concerns.push({
      ...place(pipelineId, 'store_stalled'),
      detail: `The store has not answered for ${seconds(storeSilentMs)}: nothing is replayed until it does and live has caught up.`,
    });
  if (replayStreamFull)
    concerns.push({
      ...place(pipelineId, 'stream_full'),
      detail: 'The replay stream is at its high-water mark: the reader waits until it has been worked off.',
    });
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
    const [first, second] = together;
    if (first === undefined) return [];
    const { lane, stream, code, detail } = first;
    const stands =
      second === undefined
        ? `${stream} has stopped with ${code}, so ${lane} is not applied`
        : `${listed(together.map((stop) => stop.stream))} has stopped with ${code}, so neither live nor replay is applied`;
    return [
      {
        ...place(pipelineId, 'applier_stopped', stream),
        severity: lane === 'live' ? ('critical' as const) : ('warning' as const),
        detail: `The applier of ${stands}${because(detail)} ${whatToDo[code] ?? 'It tries again by itself; its log says more.'}`,
      },
    ];
  });
}

/** By the code that stops an applier. */
const whatToDo: Readonly<Record<string, string>> = {
  gap: 'Nothing is skipped: do what the operations guide says under "A stream that has lost its end".',
  stream_unavailable: "Look at the stream's server: it goes on by itself when that answers.",
  stream_full: "Give the stream's server memory: it goes on by itself.",
  stream_denied: "Mend the user of SPILLWAY_STREAM_URL, or that user's rights.",
  stream_refused: "Mend the setting of the stream's server: it goes on by itself.",
  stream_corrupt: 'Give Spillway a database or prefix of its own.',
  store_unavailable: 'Look at the store: it goes on by itself when that answers.',
  store_failed: 'Mend what the store refuses: it goes on by itself.',
  schema_newer: 'The store was migrated by a newer version: start the workers of that version.',
};

/** While nobody reads, that is what is wrong; and after a start the groups are still to be looked at. */
function groupsOf(
  { pipelineId, external }: AlertInputs,
  lost: ReadonlyMap<WorkerRole, LostWorker>,
  listeningMs: number,
): Concern[] {
  const unseen = external?.unseen ?? null;
  if (unseen === null || lost.has('replay') || listeningMs < STARTING_MS) return [];
  return [
    {
      ...place(pipelineId, 'groups_unseen'),
      detail: `The consumer groups cannot be looked at, so nothing is replayed${because(unseen)}`,
    },
  ];
}

function astrayOf({ pipelineId, external }: AlertInputs, workers: readonly WorkerFact[]): Concern[] {
  return (external?.astray ?? []).map(({ workerId, problem }) => {
    const host = workers.find(({ id }) => id === workerId)?.host;
    return {
      ...place(pipelineId, 'groups_unseen', workerId),
      detail: `Replay worker ${workerId}${host === undefined ? '' : ` on ${host}`} does not reach the stream that others see, and is given nothing of this pipeline until it does${because(problem)}`,
    };
  });
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
      return told({ ...place(pipelineId, 'live_at_risk', signal.name), detail: breachOf(signal) });
    const holdsReplay = signal.verdict === 'unknown' && signal.failMode === 'bad';
    if (!holdsReplay) return [];
    return told({
      ...place(pipelineId, 'signal_unknown', signal.name),
      detail: `${signal.title} cannot be read and counts as bad, so ${view.hardStop === null ? 'replay is held to its floor' : 'nothing is replayed'}${because(signal.detail)}`,
    });
  });
}

function breachOf({ name, title, kind, value, target, worseWhen }: Signal): string {
  const unit = kind === 'measured' ? unitOf(name) : '';
  const beyond = worseWhen === 'above' ? 'above' : 'below';
  // A commit that is owed breaches its target before there is a number.
  const said = value === null ? `${title} is` : `${title} is ${inWords(value)}${unit},`;
  return `${said} ${beyond} its target of ${inWords(target ?? 0)}${unit}: replay is cut back until it has recovered.`;
}

/** Units stand last in the names of measured signals, before a percentile. */
function unitOf(name: string): string {
  if (/Ms(P\d+)?$/.test(name)) return ' ms';
  if (name.endsWith('BytesPerSecond')) return ' bytes/s';
  if (name.endsWith('PerSecond')) return ' rows/s';
  return '';
}

const withoutRole: Readonly<Record<WorkerRole, string>> = {
  apply: 'nothing is applied',
  replay: 'nothing is replayed',
  feed: 'the feed sends no live events',
};

function lostOf(
  { pipelineId, external }: AlertInputs,
  lost: ReadonlyMap<WorkerRole, LostWorker>,
  fedPipelines: ReadonlySet<string>,
): Concern[] {
  return [...lost.values()]
    .filter(({ role }) =>
      role === 'feed' ? fedPipelines.has(pipelineId) : role === 'replay' || external === undefined,
    )
    .map(({ id, role, host, silentMs, leftSince }) => ({
      ...place(pipelineId, 'worker_lost', id),
      detail: `No ${role} worker answers: ${id} on ${host} was last heard ${seconds(silentMs)} ago${leftSince === null ? '' : `, and ${leftSince.id} on ${leftSince.host} has left since`}. Until one joins, ${withoutRole[role]}.`,
    }));
}

function place(
  pipelineId: string,
  code: AlertCode,
  subject: string | null = null,
  backfillId: string | null = null,
): Omit<Concern, 'detail'> {
  return { pipelineId, code, subject, backfillId, severity: alertRules[code].severity };
}

function because(detail: string | null): string {
  const text = detail?.trim() ?? '';
  if (text === '') return '.';
  return `: ${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function inWords(value: number): string {
  const digits = Math.abs(value) >= 10 ? 0 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
