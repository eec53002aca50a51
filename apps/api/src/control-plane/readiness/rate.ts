/** Replay is amplification: does each of its factors have a bound, and is it known of what? */
import { sizingCapacity, UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from '@spillway/shared/governor/capacity';
import { type Answer, EVIDENCE_LASTS_MS, no, type ReadinessFacts, unknown, yes } from './facts.ts';
import { ago, count, counted, listed, percent, rate } from './words.ts';

export function rateExplicit({ pipeline, limits }: Pick<ReadinessFacts, 'pipeline' | 'limits'>): Answer {
  const { replayShare: share, capacityEventsPerSecond: capacity } = pipeline;
  if (share >= 1)
    return no(
      'A backfill without a limit of its own may use all of the capacity: the replay share is 100 %.',
    );
  const unbounded = limits.filter((limit) => isEverything(limit, capacity));
  if (unbounded.length > 0)
    return no(
      `${listed(unbounded.map(({ backfillId }) => backfillId))} may use all of the capacity: the limit is at ${capacity === null ? 'all of it' : `${rate(capacity)} or above`}.`,
      unbounded.length === 1 ? `/backfills/${unbounded[0]?.backfillId}` : '/backfills',
    );
  const own = limits.filter(({ eventsPerSecond, share: part }) => eventsPerSecond !== null || part !== null);
  return yes(
    [
      `A backfill without a limit of its own gets ${percent(share)} of the capacity, ${
        capacity === null
          ? `which is not measured yet: until then all replay together is held to ${rate(UNKNOWN_CAPACITY_EVENTS_PER_SECOND)}`
          : `${rate(share * capacity)} of ${rate(capacity)}`
      }.`,
      limits.length === 0
        ? 'No backfill is unfinished.'
        : `${count(own.length)} of ${counted(limits.length, 'unfinished backfill')} ${own.length === 1 ? 'has' : 'have'} a limit of ${own.length === 1 ? 'its' : 'their'} own.`,
    ].join(' '),
  );
}

/** A limit at the capacity or above limits nothing. */
function isEverything(
  { eventsPerSecond, share }: ReadinessFacts['limits'][number],
  capacity: number | null,
): boolean {
  const freeOfShare = share === null ? eventsPerSecond !== null : share >= 1;
  const freeOfRate = eventsPerSecond === null || (capacity !== null && eventsPerSecond >= capacity);
  return freeOfShare && freeOfRate;
}

export function concurrencyBounded({
  pipeline: { maxSourcesReplaying: most },
  slotsHeld: held,
  leases,
}: Pick<ReadinessFacts, 'pipeline' | 'slotsHeld' | 'leases'>): Answer {
  const now = `${count(held)} ${held === 1 ? 'holds' : 'hold'} a place now, with ${counted(leases, 'run')} of subwindows under lease`;
  const bound = `At most ${counted(most, 'source')} may replay at once, over all backfills together; ${now}.`;
  return held > most ? no(`${bound} More began before the limit was lowered.`) : yes(bound);
}

/** A floor that live cannot push replay below is a floor only while it leaves live its capacity. */
export function floorBelowShare({
  pipeline,
  liveEventsPerSecond: live,
}: Pick<ReadinessFacts, 'pipeline' | 'liveEventsPerSecond'>): Answer {
  const { replayFloor: floor, replayShare: share } = pipeline;
  const capacity = sizingCapacity(pipeline.capacityEventsPerSecond, pipeline.measuredEventsPerSecond);
  const parts = `The floor is ${percent(floor)} of the capacity, the replay share ${percent(share)}`;
  if (floor > 0 && floor >= share) return no(`${parts}: live can never slow replay down.`);
  if (floor === 0)
    return yes('The floor is 0 %: live may take everything, and replay then waits until it gives some back.');
  if (capacity === null) return unknown(`${parts}, but the capacity is not known.`);
  if (live === null) return unknown(`${parts}, but the live rate has not been measured in the last seconds.`);
  const figures = `the floor of ${rate(floor * capacity)} and live at ${rate(live)} now are`;
  const both = floor * capacity + live;
  return both > capacity
    ? no(`${parts}: ${figures} ${rate(both)}, more than the capacity of ${rate(capacity)}.`)
    : yes(`${parts}: ${figures} ${rate(both)} of ${rate(capacity)}.`);
}

/** A capacity set by hand is believed that far beyond what was measured: it is measured low while little is going on. */
const MEASURED_SLACK = 2;

const origins: Readonly<Record<string, string>> = {
  calibrated: 'calibrated',
  refined: 'refined by what ran',
  set_by_hand: 'declared by hand',
};

export function capacityKnown({ pipeline, nowMs }: Pick<ReadinessFacts, 'pipeline' | 'nowMs'>): Answer {
  const { capacityEventsPerSecond: capacity, capacityOrigin, capacityMeasuredAt } = pipeline;
  const measured = pipeline.measuredEventsPerSecond;
  if (capacity === null)
    return unknown(
      `Not measured yet: the applier calibrates once it has joined. Until then all replay together is held to ${rate(UNKNOWN_CAPACITY_EVENTS_PER_SECOND)}.`,
    );
  const how = `${rate(capacity)}, ${origins[capacityOrigin] ?? capacityOrigin}`;
  if (capacityMeasuredAt === null) return unknown(`${how}; nobody has recorded when.`);
  if (measured !== null && capacity > measured * MEASURED_SLACK)
    return no(
      `${how}, but ${rate(measured)} was measured: the floor and the adaptive rate's first steps are parts of that, and only the signals hold the rest of replay.`,
    );
  const atMs = capacityMeasuredAt.getTime();
  return nowMs - atMs > EVIDENCE_LASTS_MS
    ? unknown(`${how} ${ago(atMs, nowMs)}: too long ago to say what it is today.`)
    : yes(`${how} ${ago(atMs, nowMs)}.`);
}
