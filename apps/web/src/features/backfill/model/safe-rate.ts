/**
 * The safe rate is for all replay of the pipeline together: what an operator may ask for without a second thought, as the
 * governor sees it now. Asking for more is allowed, but not by accident.
 */
import type { Backfill, Limits } from '@spillway/shared/api/backfill';
import type { GovernorView } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { formatCount, formatMs, formatRate } from '../../../lib/format.ts';
import { plainWords } from '../../governor/model/plain-words.ts';

type Shares = Pick<Pipeline, 'capacity' | 'replayShare'>;

/** What the limits ask for, events/s; null where that is a share of a capacity nobody knows. */
export function askedRate(
  limits: Pick<Limits, 'eventsPerSecond' | 'share'>,
  pipeline: Shares,
): number | null {
  const share = limits.share ?? (limits.eventsPerSecond === null ? pipeline.replayShare : null);
  if (share === null) return limits.eventsPerSecond;
  const capacity = pipeline.capacity.eventsPerSecond;
  if (capacity === null) return limits.eventsPerSecond;
  return Math.min(limits.eventsPerSecond ?? Number.POSITIVE_INFINITY, share * capacity);
}

export interface ThrottleStep {
  readonly backfill: Backfill;
  /** What it asks for now; null: a share of an unknown capacity. */
  readonly askedEventsPerSecond: number | null;
  readonly eventsPerSecond: number;
}

/**
 * Each running backfill gets an equal part of the safe rate; those that ask for more are throttled to it. Empty while no rate
 * above zero is safe: then the pause is the right verb, since a limit of zero would hold long after the danger.
 */
export function throttleSteps(
  backfills: readonly Backfill[],
  pipeline: Shares,
  safeEventsPerSecond: number | null,
): readonly ThrottleStep[] {
  const running = backfills.filter(({ state }) => state === 'running');
  const part = Math.floor((safeEventsPerSecond ?? 0) / Math.max(1, running.length));
  if (part < 1) return [];
  return running.flatMap((backfill) => {
    const askedEventsPerSecond = askedRate(backfill.limits, pipeline);
    const above = askedEventsPerSecond === null || askedEventsPerSecond > part;
    return above && backfill.allowedActions.includes('throttle')
      ? [{ backfill, askedEventsPerSecond, eventsPerSecond: part }]
      : [];
  });
}

/** What the other running backfills of its pipeline are given now, events/s: the safe rate is for all of them. Null: which there are is not known. */
export function rateOfOthers(
  backfill: Pick<Backfill, 'id' | 'pipelineId'>,
  backfills: readonly Backfill[] | undefined,
): number | null {
  if (backfills === undefined) return null;
  return backfills
    .filter(
      ({ id, pipelineId, state }) =>
        id !== backfill.id && pipelineId === backfill.pipelineId && state === 'running',
    )
    .reduce((total, { effective }) => total + effective.eventsPerSecond, 0);
}

/**
 * Whether a new limit raises what is asked for, and above what is safe beside the others. Where the safe rate or the others are unknown, every
 * raise is.
 */
export function raisesAboveSafe(
  before: Limits,
  after: Pick<Limits, 'eventsPerSecond' | 'share'>,
  pipeline: Shares,
  safeEventsPerSecond: number | null,
  othersEventsPerSecond: number | null,
): boolean {
  const was = askedRate(before, pipeline);
  const asked = askedRate(after, pipeline);
  if (asked === null) return was !== null;
  if (was !== null && asked <= was) return false;
  return (
    safeEventsPerSecond === null ||
    othersEventsPerSecond === null ||
    asked + othersEventsPerSecond > safeEventsPerSecond
  );
}

/** What raising above the safe rate does, one sentence each, with the numbers of now. */
export function consequencesOfRaising(
  asked: number | null,
  governor: GovernorView | null,
  pipeline: Pick<Pipeline, 'highWaterMark'>,
  othersEventsPerSecond: number | null,
): readonly string[] {
  const safe = governor?.safeRate ?? null;
  const why = plainWords(safe?.why ?? '', governor?.signals ?? []);
  const askedWords = asked === null ? 'a share of an unknown capacity' : formatRate(asked);
  const othersWords =
    othersEventsPerSecond === null
      ? '; what other backfills have of it is unknown'
      : othersEventsPerSecond > 0
        ? `, and other backfills have ${formatRate(Math.round(othersEventsPerSecond))} of it`
        : '';
  const freshness = governor?.signals.find(({ name }) => name === 'liveFreshnessMsP99');
  return [
    safe === null || safe.eventsPerSecond === null
      ? `The safe rate is unknown${safe === null ? '' : `: ${why}`}.`
      : `The safe rate is ${formatRate(safe.eventsPerSecond)}: ${why}. You ask for ${askedWords}${othersWords}.`,
    'The governor still lets live go first: replay gets what live leaves, and is cut when a signal passes its target. Expect it to go up and down instead of evenly.',
    freshness?.target == null
      ? 'Live freshness has no target, so nothing holds replay back when live gets slower.'
      : `Live events may be applied as late as their target allows, ${formatMs(freshness.target)} at p99, for as long as it runs.`,
    `The replay stream may fill up to its high-water mark of ${formatCount(pipeline.highWaterMark)} entries; there the reader stops.`,
    'Other backfills of this pipeline get less.',
  ];
}
