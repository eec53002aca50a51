/**
 * How fast a backfill may go, and why not faster.
 *
 *     effective = hardStop ? 0 : min(budget, hold, no_worker, capacity_unknown, operator, share, stream,
 *                                    max(floor, min(storm, live-first, adaptive)))
 *
 * Each ceiling is one small function of the inputs and says what it is about, whether it limits or not: the answer always
 * carries all of them, and the lowest is named. What concerns the pipeline as a whole comes from `guardLive`. Pure: what is
 * measured, and the time it was measured at, come in; nothing is remembered here.
 */
import type { Ceiling, Effective } from '../api/backfill.ts';
import { askedShare } from '../backfill/asked-rate.ts';
import type { BackfillState } from '../backfill/state-machine.ts';
import { UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from './capacity.ts';
import type { Guard } from './guard.ts';

export interface DecideInputs {
  readonly state: BackfillState;
  readonly holds: readonly string[];
  /** The emergency brake of the pipeline. */
  readonly replayPaused: boolean;
  /** A reconnect whose part of the stagger is not over. */
  readonly staggered: boolean;
  /** Why it has no source slot; null: it has one. */
  readonly slotWait: string | null;
  /** All it could do now has failed, and waits to be tried again. Absent: it has something to do. */
  readonly retryWait?: boolean;
  readonly limits: { readonly eventsPerSecond: number | null; readonly share: number | null };
  readonly pipeline: { readonly capacityEventsPerSecond: number | null; readonly replayShare: number };
  /** Those at work that may read for it. */
  readonly replayWorkers: number;
  /** It is read by isolated workers alone. */
  readonly isolated: boolean;
  /** Null or absent: it has none. `eventsPerSecond`: what is left of it pays for no more; null: that cannot be told. */
  readonly budget?: { readonly eventsPerSecond: number | null; readonly detail: string } | null;
  /** What live leaves, for all replay of the pipeline together. */
  readonly guard: Guard;
}

type CeilingOf = (inputs: DecideInputs) => Ceiling;

const operator: CeilingOf = ({ limits }) => ({
  reason: 'operator',
  eventsPerSecond: limits.eventsPerSecond,
  detail:
    limits.eventsPerSecond === null ? 'no rate limit set' : `limited to ${limits.eventsPerSecond} events/s`,
});

const share: CeilingOf = ({ limits, pipeline }) => {
  const part = askedShare(limits, pipeline);
  if (part === null)
    return { reason: 'share', eventsPerSecond: null, detail: 'a rate limit is set instead of a share' };
  const whose = limits.share === null ? "the pipeline's replay share" : 'its share';
  if (pipeline.capacityEventsPerSecond === null)
    return {
      reason: 'share',
      eventsPerSecond: null,
      detail: `${whose} is ${percent(part)} of an unknown capacity`,
    };
  return {
    reason: 'share',
    eventsPerSecond: part * pipeline.capacityEventsPerSecond,
    detail: `${whose}: ${percent(part)} of ${Math.round(pipeline.capacityEventsPerSecond)} events/s`,
  };
};

const capacityUnknown: CeilingOf = ({ limits, pipeline }) => {
  const reason = 'capacity_unknown';
  if (pipeline.capacityEventsPerSecond !== null)
    return { reason, eventsPerSecond: null, detail: 'the capacity is known' };
  if (limits.eventsPerSecond === null || limits.share !== null)
    return {
      reason,
      eventsPerSecond: 0,
      detail: 'the capacity has not been measured yet: a share of it means nothing',
    };
  return {
    reason,
    eventsPerSecond: UNKNOWN_CAPACITY_EVENTS_PER_SECOND,
    detail: 'the capacity has not been measured yet: a safe rate until it has',
  };
};

const hold: CeilingOf = ({ state, holds, replayPaused, staggered, slotWait, retryWait }) => {
  const stop = (detail: string): Ceiling => ({ reason: 'hold', eventsPerSecond: 0, detail });
  if (holds.length > 0) return stop(`held by ${holds.join(', ')}`);
  if (replayPaused) return stop('all replay of the pipeline is paused');
  if (state === 'pausing' || state === 'cancelling') return stop(`${state}: the workers are stopping`);
  if (staggered) return stop('reconnected, and waits for its part of the stagger');
  if (slotWait !== null) return stop(slotWait);
  if (retryWait === true) return stop('waits to be tried again after a failure');
  return { reason: 'hold', eventsPerSecond: null, detail: 'no hold' };
};

/** Named before the hold that follows from it: what it stands still for is the money. */
const budget: CeilingOf = ({ budget: own, holds }) => ({
  reason: 'budget',
  eventsPerSecond: holds.includes('budget') ? 0 : (own?.eventsPerSecond ?? null),
  detail: own?.detail ?? 'no budget set',
});

const noWorker: CeilingOf = (inputs) =>
  inputs.replayWorkers > 0
    ? { reason: 'no_worker', eventsPerSecond: null, detail: workersInWords(inputs) }
    : withoutWorker(inputs);

/** What a backfill stands still by that nobody can read for. */
export function withoutWorker({ isolated }: Pick<DecideInputs, 'isolated'>): Ceiling {
  return {
    reason: 'no_worker',
    eventsPerSecond: 0,
    detail: isolated
      ? 'it asks for isolated workers, and no replay worker tagged isolated has reported in the last seconds'
      : 'no replay worker has reported in the last seconds',
  };
}

function workersInWords({ replayWorkers, isolated }: DecideInputs): string {
  const which = isolated ? 'isolated replay' : 'replay';
  return `${replayWorkers} ${which} ${replayWorkers === 1 ? 'worker' : 'workers'}`;
}

const hardStop: CeilingOf = ({ guard }) =>
  guard.hardStop === null
    ? { reason: 'hard_stop', eventsPerSecond: null, detail: guard.well ?? 'the store answers' }
    : { reason: 'hard_stop', eventsPerSecond: 0, detail: guard.hardStop };

/** What protects live may not starve replay: none of these goes below the floor. */
const aboveFloor =
  (which: 'storm' | 'liveFirst' | 'adaptive'): CeilingOf =>
  ({ guard }) => {
    const ceiling = guard[which];
    const floor = guard.floorEventsPerSecond;
    return ceiling.eventsPerSecond === null || ceiling.eventsPerSecond >= floor
      ? ceiling
      : {
          ...ceiling,
          eventsPerSecond: floor,
          detail: `${ceiling.detail}; raised to the floor of ${Math.round(floor)} events/s`,
        };
  };

const stream: CeilingOf = ({ guard }) => guard.stream;

/** The order decides which one is named when several are equally low. */
const ceilings: readonly CeilingOf[] = [
  budget,
  hold,
  noWorker,
  hardStop,
  capacityUnknown,
  operator,
  share,
  aboveFloor('storm'),
  stream,
  aboveFloor('liveFirst'),
  aboveFloor('adaptive'),
];

export function decide(inputs: DecideInputs): Effective {
  const all = ceilings.map((ceiling) => ceiling(inputs));
  let binding: Ceiling | null = null;
  for (const ceiling of all) {
    if (
      ceiling.eventsPerSecond !== null &&
      ceiling.eventsPerSecond < (binding?.eventsPerSecond ?? Number.POSITIVE_INFINITY)
    )
      binding = ceiling;
  }
  return { eventsPerSecond: binding?.eventsPerSecond ?? 0, binding: binding?.reason ?? null, ceilings: all };
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
