/**
 * The signals of a pipeline, as they govern and as they are shown.
 *
 * What is shown was measured, or is null. What governs may differ where "nothing was measured" means "there was nothing to do": a
 * store that owes no answer has no commit latency, and that is not a signal that cannot be read. A store that does owe one has, at
 * least, the time it has been owing it.
 */
import {
  type FailMode,
  type MeasuredSignal,
  measuredSignals,
  type Signal,
  type SignalTargets,
} from '@spillway/shared/api/governor';
import { signalTitles } from '@spillway/shared/governor/signal-titles';
import { type SignalReading, verdictOf } from '@spillway/shared/governor/signals';
import type { ProbeSignal } from '../context.ts';
import { clockAheadMs, liveStreamOf, type PipelineObservation, valuesOf } from '../telemetry/observation.ts';
import { storeSilentMs } from '../telemetry/store-silence.ts';

export interface PipelineSignal {
  readonly title: string;
  readonly kind: Signal['kind'];
  /** As it governs. */
  readonly reading: SignalReading;
  /** As it is shown; null: nothing was measured. */
  readonly shown: number | null;
  /** Why it is unknown, in words; null when it is not. */
  readonly detail: string | null;
}

/** A measured one that is older says nothing. */
const STALE_AFTER_MS = 3_000;
const DEFAULT_FAIL_MODE: FailMode = 'bad';
/**
 * Live's p99 is the lesser of two windows (recent-histogram.ts), so that a hiccup is no breach, and it is read before a cut takes effect: over a whole
 * run it comes out a twentieth above what is held.
 */
const HELD_PARTS: Partial<Record<MeasuredSignal, number>> = { liveFreshnessMsP99: 0.9 };

export function signalsOf(
  targets: SignalTargets,
  seen: PipelineObservation | null,
  probes: readonly ProbeSignal[],
): PipelineSignal[] {
  const shown = seen === null ? null : valuesOf(seen);
  const governing = seen === null ? null : governingValuesOf(seen);
  const measured = measuredSignals.map((name): PipelineSignal => {
    const value = governing?.[name] ?? null;
    return {
      title: signalTitles[name],
      kind: 'measured',
      reading: {
        name,
        value,
        ageMs: value === null ? null : (seen?.applyAgeMs ?? null),
        staleAfterMs: STALE_AFTER_MS,
        target: targets[name]?.target ?? null,
        worseWhen: name === 'cacheHitRatio' ? 'below' : 'above',
        failMode: targets[name]?.failMode ?? DEFAULT_FAIL_MODE,
        heldPart: HELD_PARTS[name] ?? 1,
      },
      shown: shown?.[name] ?? null,
      detail: value === null ? whyUnknown(seen, name) : null,
    };
  });
  return [
    ...measured,
    ...probes.map(
      ({ title, reading, detail }): PipelineSignal => ({
        title,
        kind: 'probe',
        reading,
        shown: reading.value,
        detail,
      }),
    ),
  ];
}

/** As the API shows it. */
export function toSignal({ title, kind, reading, shown, detail }: PipelineSignal): Signal {
  const { name, target, worseWhen, failMode } = reading;
  return {
    name,
    title,
    kind,
    value: shown,
    // A probe that cannot be read now keeps the age of its last number. A measured one has no last number: without one, no age.
    ageMs: kind === 'measured' && shown === null ? null : reading.ageMs,
    target,
    worseWhen,
    failMode,
    verdict: verdictOf(reading),
    detail,
  };
}

function governingValuesOf(seen: PipelineObservation): Record<MeasuredSignal, number | null> {
  const values = valuesOf(seen);
  const lagMs = liveStreamOf(seen)?.lagMs ?? null;
  const silentMs = storeSilentMs(seen);
  const atLeast = (value: number | null, least: number | null) =>
    least === null ? null : Math.max(value ?? 0, least);
  const freshness =
    // Everything looks fresher than it is, by nobody knows how much: that is not well, it is unknown.
    clockAheadMs(seen) !== null
      ? {}
      : {
          // Only an unknown lag makes it unknown: with nothing waiting, live is as fresh as can be.
          liveFreshnessMsP99: atLeast(values.liveFreshnessMsP99, lagMs),
          liveFreshnessMsP50: values.liveFreshnessMsP50 ?? lagMs,
        };
  return {
    ...values,
    ...freshness,
    storeCommitMsP99: atLeast(values.storeCommitMsP99, silentMs),
    applyLatencyMsP99: atLeast(values.applyLatencyMsP99, silentMs),
  };
}

/** Of an applier that is heard of, though it does not apply. Null: nobody is, or it does. */
export function whyUnreported(seen: PipelineObservation | null): string | null {
  const [stopped] = seen?.stoppedLanes ?? [];
  if (stopped !== undefined)
    return `the applier of ${stopped.stream} has stopped (${stopped.code}): ${stopped.detail}`;
  return seen?.apply === null && seen.readsNoStream === true
    ? 'an apply worker is heard of, but cannot reach its streams'
    : null;
}

const agesOfLive: readonly MeasuredSignal[] = ['liveFreshnessMsP99', 'liveFreshnessMsP50', 'liveLagMs'];

function whyUnknown(seen: PipelineObservation | null, name: MeasuredSignal): string {
  if ((seen?.external ?? null) !== null)
    return 'not measured: the consumers are your own. A probe of yours may say how they do';
  const unreported = whyUnreported(seen);
  if (unreported !== null) return unreported;
  if (seen === null || seen.apply === null) return 'no apply worker has reported in the last seconds';
  const aheadMs = agesOfLive.includes(name) ? clockAheadMs(seen) : null;
  return aheadMs === null
    ? 'the workers could not measure it in the last seconds'
    : `the clock of a publisher of live is at least ${Math.round(aheadMs)} ms ahead of the applier's: how old live events are cannot be told`;
}
