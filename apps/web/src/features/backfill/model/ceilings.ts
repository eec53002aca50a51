import type { Backfill, Ceiling, Effective } from '@spillway/shared/api/backfill';
import { formatRate, formatRatio } from '../../../lib/format.ts';

type Reason = Ceiling['reason'];

export const ceilingWords: Readonly<Record<Reason, string>> = {
  operator: 'Rate limit',
  share: 'Share of capacity',
  live_first: 'Live first',
  adaptive: 'Adaptive',
  storm: 'Storm',
  hard_stop: 'Hard stop',
  stream: 'Stream',
  budget: 'Budget',
  hold: 'Hold',
  capacity_unknown: 'Capacity unknown',
  no_worker: 'No worker',
};

/** What each ceiling is there for, in plain words. */
export const ceilingMeanings: Readonly<Record<Reason, string>> = {
  operator: 'the rate somebody set for this backfill',
  share: 'its part of what the pipeline can take',
  live_first: 'capacity less what live needs and the headroom beside it; never below the floor',
  adaptive:
    'rises while every signal is within its target, and is cut when one is not; never below the floor',
  storm: 'replay that feeds its own backlog is cut to the floor until live has caught up',
  hard_stop: 'nothing at all is replayed while the store does not answer, or nobody can look',
  stream: 'what keeps the replay stream under its high-water mark',
  budget: 'zero once the budget is spent',
  hold: 'zero while it is paused, braked, or waits for a slot or to be tried again',
  capacity_unknown: 'a careful rate until the capacity has been measured',
  no_worker: 'zero while no worker can read; one that asks for isolated workers has use for no other',
};

/** Why it goes at the speed it goes, as a clause. */
const bindingClauses: Readonly<Record<Reason, string>> = {
  operator: 'limited by its rate limit',
  share: 'limited by its share of capacity',
  live_first: 'yields to live',
  adaptive: 'limited by the signals',
  storm: 'held to the floor by a storm',
  hard_stop: 'stopped hard',
  stream: 'limited by the stream’s high-water mark',
  budget: 'its budget is spent',
  hold: 'held',
  capacity_unknown: 'the capacity has not been measured yet',
  no_worker: 'waits for a worker',
};

/** What it is about while the governor decides no rate for it. */
const unratedWords: Readonly<Record<Backfill['state'], string>> = {
  queued: 'queued',
  running: 'no rate has been decided yet',
  pausing: 'pausing',
  paused: 'paused',
  verifying: 'being proved',
  completed: 'completed',
  cancelling: 'being cancelled',
  cancelled: 'cancelled',
  failed: 'failed',
};

export type Paced = Pick<Backfill, 'state' | 'effective'>;

/** Of what is allowed so little is used that no ceiling can be what holds it back. `reached`, events/s, is null while it is unknown. */
export function isUnused(
  { eventsPerSecond }: Pick<Effective, 'eventsPerSecond'>,
  reached: number | null,
): boolean {
  return reached !== null && reached < eventsPerSecond / 2;
}

export function bindingWords({ state, effective }: Paced, reached: number | null): string {
  if (isUnused(effective, reached)) return `of ${formatRate(effective.eventsPerSecond)} allowed`;
  if (effective.binding !== null) return bindingClauses[effective.binding];
  return effective.eventsPerSecond === 0 ? unratedWords[state] : 'nothing limits it';
}

/**
 * "7,640 events/s allowed, limited by its share of capacity: 20 % of 38,200 events/s." `cause` is what the pipeline says holds it up, if
 * anything.
 */
export function bindingSentence(
  { state, effective }: Paced,
  reached: number | null,
  cause: string | undefined,
): string {
  if (isUnused(effective, reached)) {
    const used = formatRatio((reached ?? 0) / effective.eventsPerSecond);
    return `${formatRate(effective.eventsPerSecond)} allowed, of which ${used} is used: no limit holds it back.${cause === undefined ? '' : ` Why: ${cause}.`}`;
  }
  const words = bindingWords({ state, effective }, reached);
  if (effective.binding === null && effective.eventsPerSecond === 0) return `Nothing is replayed: ${words}.`;
  // What the clause has said already is not said again.
  const said = effective.binding === 'operator';
  const detail = said
    ? undefined
    : effective.ceilings.find(({ reason }) => reason === effective.binding)?.detail;
  const why =
    detail === undefined || detail === '' ? words : detail.startsWith(words) ? detail : `${words}: ${detail}`;
  return `${formatRate(effective.eventsPerSecond)} allowed, ${why}.`;
}

export interface CeilingBar {
  readonly reason: Reason;
  readonly eventsPerSecond: number | null;
  readonly detail: string;
  readonly binding: boolean;
  /** Of the scale, 0 to 1; a ceiling that does not limit has none. */
  readonly length: number | null;
  /** It lies beyond the scale: its bar is cut off. */
  readonly beyond: boolean;
}

/**
 * What a full bar stands for, events/s. A limit far above all others ("9,000,000 events/s") would make dots of the ones that
 * matter, so it does not count.
 */
export function ceilingScale(effective: Pick<Effective, 'ceilings'>, reached: number | null): number {
  const [highest = 0, second = 0] = [
    reached ?? 0,
    ...effective.ceilings.map(({ eventsPerSecond }) => eventsPerSecond ?? 0),
  ].sort((a, b) => b - a);
  return Math.max(1, second > 0 && highest > farAbove * second ? second : highest);
}
const farAbove = 8;

/** The lowest first, those that do not limit last; bars on one scale that also holds the rate reached. Unless `isBinding` none is marked. */
export function ceilingBars(
  effective: Pick<Effective, 'ceilings' | 'binding'>,
  reached: number | null,
  isBinding = true,
): CeilingBar[] {
  const scale = ceilingScale(effective, reached);
  return [...effective.ceilings]
    .sort(
      (a, b) =>
        (a.eventsPerSecond ?? Number.POSITIVE_INFINITY) - (b.eventsPerSecond ?? Number.POSITIVE_INFINITY),
    )
    .map((ceiling) => ({
      ...ceiling,
      binding: isBinding && ceiling.reason === effective.binding,
      length: ceiling.eventsPerSecond === null ? null : Math.min(1, ceiling.eventsPerSecond / scale),
      beyond: (ceiling.eventsPerSecond ?? 0) > scale,
    }));
}
