import type { Backfill } from '@spillway/shared/api/backfill';
import type { Alert, AlertCode, GovernorView, Signal } from '@spillway/shared/api/governor';
import type { ReplayRate, Stages, Streams } from '@spillway/shared/api/pipeline';
import { formatMs, formatRate, formatRatio, formatSpan, known } from '../../../lib/format.ts';
import { formatSignal, inSentence } from '../../governor/model/signal-words.ts';
import { decideCalm, troubleDetails } from './calm.ts';
import { publishRate } from './publish-rate.ts';
import { replayClause } from './replay-clause.ts';

/**
 * The one sentence of the Now screen: is the live path safe, and what is hurting it?
 *
 * The governor decides where it has looked: a hard stop, a storm, a governing signal that is breached or cannot be read. How long it
 * has lasted is what its alert says; a breach that no alert has been raised for yet is only a strain, since the governor breathes
 * at the target and a sentence that turned red with every breath would not be read. Where freshness has no target, it and the
 * live stream's lag are judged by a limit of their own. Pressure in the stages is a cause and calls nobody: backpressure that
 * holds replay back is the pipeline working as meant; a worker that is lost calls somebody, also while live is well. What cannot be known is said to be unknown; it is never safe. Of an
 * external pipeline live is somebody else's: that is no state to be worried by, and none to be called safe. There only a probe of theirs can say that it is at risk.
 */
export type VerdictLevel = 'safe' | 'watch' | 'risk' | 'unknown' | 'elsewhere';

export interface VerdictInput {
  /** Live does not pass through Spillway. */
  readonly external: boolean;
  /** The event stream is down or silent: nothing below is the present. */
  readonly stale: boolean;
  /** By the server's clock, epoch ms. */
  readonly nowMs: number;
  readonly values: Readonly<Record<string, number | null>>;
  /** Null: not told. */
  readonly replay: ReplayRate | null;
  readonly stages: Stages | null;
  readonly streams: Streams['items'];
  readonly governor: GovernorView | null;
  /** Of the pipeline, those not cleared. Null: they cannot be read. */
  readonly alerts: readonly Alert[] | null;
  /** Null: not known. */
  readonly backfills: readonly Backfill[] | null;
  readonly replayPaused: boolean;
}

export interface Verdict {
  readonly level: VerdictLevel;
  readonly sentence: string;
  /** Each with its numbers, the worst first. */
  readonly reasons: readonly string[];
  /** Backfills that publish now, the fastest first: what a pause would relieve. */
  readonly suspects: readonly Backfill[];
}

/** As the governor hears it, so that the sentence, the tile and the signals say one number; before it has looked, as measured. */
export function freshnessMs(
  governor: GovernorView | null,
  values: Readonly<Record<string, number | null>>,
): number | null {
  const signal = liveSignal(governor, 'liveFreshnessMsP99');
  return signal === undefined ? (values['liveFreshnessMsP99'] ?? null) : signal.value;
}

export function liveSignal(
  governor: GovernorView | null,
  name: 'liveFreshnessMsP99' | 'liveLagMs',
): Signal | undefined {
  return governor?.signals.find((signal) => signal.name === name);
}

/** Without a target: older than this at p99, live has visibly lost its realtime; half of it is worth a look. */
export const freshnessLimitMs = 1_000;
export const watchMs = freshnessLimitMs / 2;

export function decideVerdict(input: VerdictInput): Verdict {
  const suspects = replaying(input);
  if (input.stale) {
    return {
      level: 'unknown',
      sentence:
        Object.keys(input.values).length === 0
          ? 'Live path unknown: no telemetry has arrived since this page was opened.'
          : 'Live path unknown: no telemetry is arriving. What is shown is the last that was known.',
      reasons: ['The event stream is down or silent; it is being opened again.'],
      suspects,
    };
  }
  const beside = replayClause(input, suspects);
  const [worst, ...others] = [
    ...stopSymptoms(input),
    ...governorSymptoms(input),
    ...(input.external ? [] : liveSymptoms(input)),
  ].sort(worstFirst);
  if (worst !== undefined) {
    return {
      level: worst.level,
      sentence: `${worst.opening ?? openings[worst.level]}: ${worst.text}; ${beside}.`,
      reasons: [
        ...(worst.detail === undefined ? [] : [worst.detail]),
        ...others.map(({ text, detail }) => detail ?? text),
        ...troubleDetails(input.alerts),
        ...stageCauses(input.stages),
      ],
      suspects,
    };
  }
  const freshness = freshnessMs(input.governor, input.values);
  return { ...decideCalm({ input, freshness, causes: stageCauses(input.stages), beside }), suspects };
}

const openings = {
  risk: 'Live path at risk',
  unknown: 'Live path unknown',
  watch: 'Live path strained',
} as const;
const order = { risk: 0, unknown: 1, watch: 2 } as const;

interface Symptom {
  readonly level: 'risk' | 'unknown' | 'watch';
  readonly text: string;
  /** Where it is not the live path that the sentence is about. */
  readonly opening?: string;
  /** A whole sentence with what to do; absent: the text says all. */
  readonly detail?: string;
  /** Among those of a level, what is told first. */
  readonly weight: number;
}

/** Where live is somebody else's, what is wrong here is wrong with replay. */
function judged(level: Symptom['level'], isOfReplay: boolean): Pick<Symptom, 'level' | 'opening'> {
  return isOfReplay ? { level: 'watch', opening: 'Replay is held back' } : { level };
}

function worstFirst(a: Symptom, b: Symptom): number {
  return order[a.level] - order[b.level] || b.weight - a.weight;
}

/** An applier of live that has stopped is why live is late: the cause comes before what follows from it. That of replay alone does not touch live. */
function stopSymptoms(input: VerdictInput): Symptom[] {
  return (input.alerts ?? [])
    .filter(({ code, severity }) => code === 'applier_stopped' && severity === 'critical')
    .map(({ subject, detail }) => ({
      level: 'risk',
      text: `the applier of ${subject} has stopped${lasting(input, 'applier_stopped', subject ?? undefined)}`,
      detail,
      weight: Number.MAX_VALUE,
    }));
}

function governorSymptoms(input: VerdictInput): Symptom[] {
  const { governor, external } = input;
  if (governor === null) return [];
  const symptoms: Symptom[] = [];
  const floor =
    governor.floorEventsPerSecond > 0
      ? `the floor of ${formatRate(governor.floorEventsPerSecond)}`
      : 'a floor of nothing';
  if (governor.hardStop !== null) {
    // It says itself for how long. Somebody else's live path goes on without replay, and without our look at it.
    const weight = Number.MAX_VALUE;
    symptoms.push(
      external
        ? { level: 'watch', opening: 'Replay is stopped', text: governor.hardStop, weight }
        : { level: 'risk', text: `${governor.hardStop}; the governor has stopped all replay`, weight },
    );
  }
  if (governor.storm) {
    const lag = input.values['liveLagMs'];
    symptoms.push({
      ...judged('risk', external),
      text: `a replay storm${lasting(input, 'storm')}: live lag grows while replay runs${known(lag) ? `, live is ${formatMs(lag)} behind` : ''}; replay is cut to ${floor}`,
      weight: Number.MAX_VALUE / 2,
    });
  }
  for (const signal of governor.signals) {
    const symptom = signalSymptom(signal, input);
    if (symptom !== null) symptoms.push(symptom);
  }
  return symptoms;
}

function signalSymptom(signal: Signal, input: VerdictInput): Symptom | null {
  const { name, kind, verdict, value, target, worseWhen } = signal;
  const title = inSentence(signal.title);
  const isOfReplay = input.external && kind !== 'probe';
  if (verdict === 'breached' && target !== null) {
    const long = lasting(input, 'live_at_risk', name);
    // The governor may know of a breach before there is a number: a commit that is owed has not been measured.
    const said = value === null ? `${title} is` : `${title} is ${formatSignal(name, value)},`;
    return {
      ...judged(long === '' ? 'watch' : 'risk', isOfReplay),
      text: `${said} ${worseWhen === 'above' ? 'above' : 'below'} its target of ${formatSignal(name, target)}${long}`,
      weight: value === null ? 1 : partOfTarget(value, target, worseWhen),
    };
  }
  // Live that has gone silent is told as such, not as a signal that failed.
  const silent = name.startsWith('live') && input.values['liveEventsPerSecond'] === 0;
  if (verdict === 'unknown' && signal.failMode === 'bad' && !silent) {
    return {
      ...judged(name.startsWith('live') ? 'unknown' : 'watch', isOfReplay),
      text: `${title} cannot be read${signal.detail === null ? '' : ` (${signal.detail})`}${lasting(input, 'signal_unknown', name)} and counts as bad`,
      weight: 1,
    };
  }
  return null;
}

/** Beyond 1 is beyond the target, whichever way it is worse. */
function partOfTarget(value: number, target: number, worseWhen: Signal['worseWhen']): number {
  return worseWhen === 'above' ? value / target : target / Math.max(value, Number.MIN_VALUE);
}

/** " for 3 min" as the alert says; empty when none has been raised. */
function lasting({ alerts, nowMs }: VerdictInput, code: AlertCode, subject?: string): string {
  const alert = alerts?.find(
    (each) => each.code === code && (subject === undefined || each.subject === subject),
  );
  if (alert === undefined) return '';
  const lastedMs = nowMs - Date.parse(alert.raisedAt);
  return ` for ${lastedMs < 1_000 ? 'less than 1 s' : formatSpan(lastedMs)}`;
}

/** Where no target says what is too slow. Freshness is never less than the lag, so its target covers both. */
function liveSymptoms({ values, streams, governor }: VerdictInput): Symptom[] {
  const governed = (name: string) =>
    governor?.signals.some((signal) => signal.name === name && signal.verdict !== 'ungoverned') ?? false;
  const fresh = liveSignal(governor, 'liveFreshnessMsP99')?.verdict;
  const heldToFreshness = fresh === 'ok' || fresh === 'near' || fresh === 'breached';
  const live = streams.find((stream) => stream.role !== 'replay');
  const measured: [number | null | undefined, boolean, (text: string) => string][] = [
    [
      values['liveFreshnessMsP99'],
      governed('liveFreshnessMsP99'),
      (text) => `live freshness is ${text} at p99 (limit ${formatMs(freshnessLimitMs)})`,
    ],
    [
      live?.consumerLagMs,
      governed('liveLagMs') || heldToFreshness,
      (text) => `the live stream lags ${text} (limit ${formatMs(freshnessLimitMs)})`,
    ],
  ];
  return measured.flatMap(([ms, isGoverned, say]): Symptom[] =>
    known(ms) && ms >= watchMs && !isGoverned
      ? [
          {
            level: ms >= freshnessLimitMs ? 'risk' : 'watch',
            text: say(formatMs(ms)),
            weight: ms / freshnessLimitMs,
          },
        ]
      : [],
  );
}

function stageCauses(stages: Stages | null): string[] {
  if (stages === null) return [];
  return stages.stages
    .filter((stage) => stage.pressure === 'high' && (stage.stage === 'store' || stage.stage === 'aggregate'))
    .map((stage) => {
      const latency = known(stage.latencyMsP99) ? `, ${formatMs(stage.latencyMsP99)} at p99` : '';
      const blocked =
        known(stage.blockedRatio) && stage.blockedRatio > 0
          ? `, blocked ${formatRatio(stage.blockedRatio)} of the time`
          : '';
      return `${stage.stage} is under HIGH pressure${latency}${blocked}`;
    });
}

/** A backfill's own rate may be some seconds old: where the pipeline publishes nothing, none of them does. */
function replaying({ backfills, values }: VerdictInput): Backfill[] {
  if (backfills === null || values['replayPublishedEventsPerSecond'] === 0) return [];
  return backfills
    .filter((backfill) => backfill.state === 'running' && publishRate(backfill) > 0)
    .sort((a, b) => publishRate(b) - publishRate(a));
}
