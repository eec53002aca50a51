import type { Alert, AlertCode, GovernorView, Signal } from '@spillway/shared/api/governor';
import { formatMs, known } from '../../../lib/format.ts';
import { formatSignal, inSentence } from '../../governor/model/signal-words.ts';
import type { Verdict, VerdictInput } from './verdict.ts';

interface Calm {
  readonly input: Pick<VerdictInput, 'external' | 'values' | 'governor' | 'alerts'>;
  readonly freshness: number | null;
  /** Of pressure in the stages. */
  readonly causes: readonly string[];
  /** What replay does. */
  readonly beside: string;
}

/** The verdict where live has no symptom: whether that is known, and what is wrong beside it. */
export function decideCalm({ input, freshness, causes, beside }: Calm): Omit<Verdict, 'suspects'> {
  const { external, values, governor, alerts } = input;
  const reasons = troubleDetails(alerts);
  if (!external && !known(freshness)) {
    const silent = values['liveEventsPerSecond'] === 0;
    const sentence = silent
      ? `No live events are arriving, so there is no freshness to measure; ${beside}.`
      : `Live path unknown: its freshness is not known now; ${beside}.`;
    return { level: silent ? 'watch' : 'unknown', sentence, reasons: [...reasons, ...causes] };
  }
  const live = external ? elsewhere(governor) : ours(`${formatMs(freshness)} fresh at p99`);
  if (alerts === null) return { level: 'watch', sentence: `${live.unread}; ${beside}.`, reasons };
  if (alerts.some(({ code }) => emergencies.has(code)))
    return { level: 'watch', sentence: `${live.recovering}; ${beside}.`, reasons };
  if (reasons.length > 0)
    return { level: 'watch', sentence: `${live.but(troubleWords(alerts))}; ${beside}.`, reasons };
  return external
    ? { level: 'elsewhere', sentence: `${live.well}; ${beside}.`, reasons: causes }
    : // Pressure without a symptom is backpressure doing its work: the pipeline strip shows it, nobody is called.
      { level: 'safe', sentence: `${live.well}; ${beside}.`, reasons };
}

/** What has just been well is not called safe before its alert is cleared, after some seconds of calm: one screen says one thing. */
const emergencies: ReadonlySet<AlertCode> = new Set(['storm', 'store_stalled', 'live_at_risk']);

/** Live does not suffer yet, or not any more; nobody else does the work of what is gone or stands. Of live itself it is a symptom. */
function troubles(alerts: readonly Alert[] | null): { lost: readonly Alert[]; stopped: readonly Alert[] } {
  return {
    lost: (alerts ?? []).filter(({ code }) => code === 'worker_lost'),
    stopped: (alerts ?? []).filter(
      ({ code, severity }) => code === 'applier_stopped' && severity !== 'critical',
    ),
  };
}

export function troubleDetails(alerts: readonly Alert[] | null): readonly string[] {
  const { lost, stopped } = troubles(alerts);
  return [...lost, ...stopped].map(({ detail }) => detail);
}

function troubleWords(alerts: readonly Alert[]): string {
  const { lost, stopped } = troubles(alerts);
  const gone =
    lost.length === 0 ? [] : [lost.length === 1 ? 'a worker is lost' : `${lost.length} workers are lost`];
  return [...gone, ...stopped.map(({ subject }) => `the applier of ${subject} has stopped`)].join(' and ');
}

interface LiveWords {
  readonly unread: string;
  readonly recovering: string;
  readonly but: (trouble: string) => string;
  readonly well: string;
}

function ours(fresh: string): LiveWords {
  return {
    unread: `Live path looks safe, but its alerts cannot be read: ${fresh}`,
    recovering: `Live path is recovering: ${fresh}, its alert not cleared yet`,
    but: (trouble) => `Live path is safe, but ${trouble}: ${fresh}`,
    well: `Live path is safe: ${fresh}`,
  };
}

function elsewhere(governor: GovernorView | null): LiveWords {
  const opening = 'Live does not pass through Spillway here';
  return {
    unread: `${opening}, and its alerts cannot be read`,
    recovering: `${opening}, and an alert of it is not cleared yet`,
    but: (trouble) => `${opening}, and ${trouble}`,
    well: `${opening}${probeWords(governor?.signals ?? [])}`,
  };
}

const NAMED_MAX = 3;
const listed = new Intl.ListFormat('en-GB');

/** What the user's own probes say of a live path that is not ours. */
function probeWords(signals: readonly Signal[]): string {
  const governing = signals.filter(({ kind, verdict }) => kind === 'probe' && verdict !== 'ungoverned');
  if (governing.length === 0) return ': a probe of yours may say how it does';
  const well = governing.filter(({ verdict }) => verdict === 'ok' || verdict === 'near');
  if (well.length === 0) return '';
  const named = well
    .slice(0, NAMED_MAX)
    .map(({ name, title, value }) =>
      known(value) ? `${inSentence(title)} (${formatSignal(name, value)})` : inSentence(title),
    );
  const more = well.length > NAMED_MAX ? [`${well.length - NAMED_MAX} more`] : [];
  return `: by your probes, ${listed.format([...named, ...more])} ${well.length === 1 ? 'is' : 'are'} in target`;
}
