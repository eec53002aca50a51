/**
 * What all replay of a pipeline together may use, so that live stays within its target.
 *
 *     guarded  = hard stop ? 0 : max(floor, min(live-first, adaptive, storm))
 *     stream   = what keeps the replay's stream under its high-water mark
 *
 * The hard stop is for a store that does not answer: whatever is sent then only waits. Once it answers, live catches up first:
 * live-first leaves replay nothing but its floor until then, so that live which never catches up does not starve replay for ever.
 * While a governing signal cannot be read, replay is held to its floor as well. Through all of that the adaptive rate is frozen,
 * since nothing can be learned about it.
 *
 * Pure: measurements and the time come in, the memory of the last pass comes in, and both the decision and the new memory go
 * out. `decide` makes of it, with what an operator allows, the rate of one backfill.
 */
import type { Ceiling } from '../api/backfill.ts';
import type { SafeRate } from '../api/governor.ts';
import { type AdaptiveInputs, type AdaptiveMemory, adapt } from './adaptive.ts';
import { sizingCapacity, UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from './capacity.ts';
import {
  type Health,
  type HealthReport,
  healthOf,
  heldTarget,
  type SignalReading,
  verdictOf,
} from './signals.ts';
import { calm, type StormMemory, watchStorm } from './storm.ts';
import { followStream, type StreamMemory, streamCeiling } from './stream-ceiling.ts';

export interface GuardInputs {
  /** Monotonic, ms. */
  readonly nowMs: number;
  readonly capacityEventsPerSecond: number | null;
  /** What was measured of this store, also where the capacity is set by hand; null: nothing was. */
  readonly measuredEventsPerSecond: number | null;
  /** Parts of capacity; the floor is one of what was measured, where that is less. */
  readonly headroomShare: number;
  readonly floorShare: number;
  readonly replayShare: number;
  /** What arrives live; null when nobody has said. */
  readonly liveEventsPerSecond: number | null;
  readonly liveLagMs: number | null;
  readonly freshnessTargetMs: number | null;
  readonly signals: readonly SignalReading[];
  readonly replay: {
    readonly publishedEventsPerSecond: number | null;
    readonly appliedEventsPerSecond: number | null;
    /** Entries waiting on the stream that replay uses. */
    readonly streamLength: number | null;
    readonly highWaterMark: number;
  };
  /** How long the store has owed an answer, ms; 0 when it owes none; null when no applier reports. */
  readonly storeSilentMs: number | null;
  /** That it is the applier which is not heard, whose silence counts as the store's, and for how long, ms; null or absent: it is the store. */
  readonly applierSilentMs?: number | null;
  /** Why none does, though one is heard of; null or absent: that is not known. */
  readonly unreported?: string | null;
  /**
   * Consumers and store are the user's own: live is nothing that is measured here, and what stands for the store is that the consumer groups can
   * be looked at. `unwatched`: why they cannot, when they cannot.
   */
  readonly external?: { readonly unwatched: string };
}

/** A capacity: unknown, set by hand and not measured yet, or measured. */
type SizedBy = 'nothing' | 'hand' | 'measured';

export interface GuardMemory {
  readonly adaptive: AdaptiveMemory | null;
  /** What its steps were parts of when it was learned: it says nothing of steps by a better figure. */
  readonly sizedBy: SizedBy;
  readonly storm: StormMemory;
  /** Stopped hard, or since then not caught up: until the store answers and live has caught up. */
  readonly stopped: boolean;
  readonly stream: StreamMemory;
}

export interface Guard {
  /** Why nothing at all may be replayed; null: something may. */
  readonly hardStop: string | null;
  /** What was looked at for that, and is well; absent: the store answers. */
  readonly well?: string;
  readonly floorEventsPerSecond: number;
  readonly liveFirst: Ceiling;
  readonly adaptive: Ceiling;
  readonly storm: Ceiling;
  readonly stream: Ceiling;
  readonly health: HealthReport;
  readonly safeRate: SafeRate;
}

/** An answer that takes longer is no answer: commits are sized to take some twenty milliseconds. */
export const STORE_SILENT_MS = 1_000;
/** After a stall live comes first: replay waits until the oldest live entry is younger than this, or than live's target. */
const CAUGHT_UP_MS = 250;

export const unguarded: GuardMemory = {
  adaptive: null,
  sizedBy: 'measured',
  storm: calm,
  stopped: false,
  stream: null,
};

export function guardLive(inputs: GuardInputs, before: GuardMemory): { guard: Guard; memory: GuardMemory } {
  const { capacityEventsPerSecond: capacity, nowMs, freshnessTargetMs, liveLagMs } = inputs;
  const sizing = sizingCapacity(capacity, inputs.measuredEventsPerSecond);
  const measured = inputs.measuredEventsPerSecond !== null;
  const sizedBy: SizedBy = capacity === null ? 'nothing' : measured ? 'measured' : 'hand';
  const health = healthOf(inputs.signals);
  const hardStop = hardStopOf(inputs);
  const catchingUp = hardStop === null && before.stopped && !caughtUp(inputs);
  const blind = health.because !== null && verdictOf(health.because) === 'unknown';
  const storm = watchStorm(
    {
      nowMs,
      liveLagMs,
      freshnessTargetMs,
      // What was published before the gate closed still feeds it.
      replayEventsPerSecond: Math.max(
        inputs.replay.publishedEventsPerSecond ?? 0,
        inputs.replay.appliedEventsPerSecond ?? 0,
      ),
    },
    before.storm,
  );
  const adaptive = adapt(
    {
      nowMs,
      health: health.health,
      room: health.room,
      gross: health.gross,
      frozenBy: freezing({ storming: storm.storming, stalled: hardStop !== null || catchingUp, blind }),
      mostEventsPerSecond: capacity ?? UNKNOWN_CAPACITY_EVENTS_PER_SECOND,
      capacityEventsPerSecond: sizing ?? UNKNOWN_CAPACITY_EVENTS_PER_SECOND,
      usedEventsPerSecond: inputs.replay.publishedEventsPerSecond,
      appliedEventsPerSecond: inputs.replay.appliedEventsPerSecond,
    },
    before.sizedBy === sizedBy ? before.adaptive : null,
  );
  const stream = followStream(inputs, before.stream);
  const guard: Guard = {
    hardStop,
    ...(inputs.external === undefined ? {} : { well: 'the consumer groups can be looked at' }),
    floorEventsPerSecond: inputs.floorShare * (sizing ?? 0),
    liveFirst: catchingUp ? liveCatchesUp(inputs) : liveFirst(inputs),
    adaptive: adaptiveCeiling(adaptive, health, blind),
    storm:
      inputs.external === undefined
        ? stormCeiling(storm, liveLagMs)
        : { reason: 'storm', eventsPerSecond: null, detail: LIVE_ELSEWHERE },
    stream: streamCeiling({ ...inputs.replay, streamLength: stream?.length ?? null }),
    health,
    safeRate: { eventsPerSecond: null, why: '' },
  };
  return {
    guard: { ...guard, safeRate: safeRateOf(inputs, guard, blind ? null : adaptive) },
    memory: {
      adaptive,
      sizedBy,
      storm,
      stopped: hardStop !== null || catchingUp,
      stream,
    },
  };
}

/** Why the adaptive rate can learn nothing now. */
function freezing(now: { storming: boolean; stalled: boolean; blind: boolean }): AdaptiveInputs['frozenBy'] {
  if (now.storming) return 'storm';
  if (now.stalled) return 'stall';
  return now.blind ? 'blindness' : null;
}

function hardStopOf({
  storeSilentMs,
  applierSilentMs = null,
  unreported,
  external,
}: GuardInputs): string | null {
  if (storeSilentMs === null)
    return external?.unwatched ?? unreported ?? 'no apply worker has reported: nothing would be applied';
  if (storeSilentMs < STORE_SILENT_MS) return null;
  const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return applierSilentMs === null
    ? `the store has not answered for ${inSeconds(storeSilentMs)}`
    : `the apply worker has not been heard for ${inSeconds(applierSilentMs)}`;
}

/** An unknown lag proves nothing either way: it does not hold replay back. */
function caughtUp({ liveLagMs, freshnessTargetMs }: GuardInputs): boolean {
  return liveLagMs === null || liveLagMs <= Math.max(CAUGHT_UP_MS, freshnessTargetMs ?? 0);
}

function liveCatchesUp({ liveLagMs }: GuardInputs): Ceiling {
  return {
    reason: 'live_first',
    eventsPerSecond: 0,
    detail: `live is catching up: its oldest event has waited ${round(liveLagMs ?? 0)} ms`,
  };
}

const LIVE_ELSEWHERE = 'live does not pass through Spillway: a probe of yours may say how it does';

function liveFirst(inputs: GuardInputs): Ceiling {
  const { capacityEventsPerSecond: capacity, liveEventsPerSecond: live, headroomShare } = inputs;
  const reason = 'live_first';
  if (capacity === null) return { reason, eventsPerSecond: null, detail: 'the capacity is not known' };
  if (inputs.external !== undefined)
    return {
      reason,
      eventsPerSecond: capacity - headroomShare * capacity,
      detail: `${round(capacity)} events/s of capacity, less ${round(headroomShare * capacity)} of headroom; ${LIVE_ELSEWHERE}`,
    };
  if (live === null)
    return { reason, eventsPerSecond: 0, detail: 'the live rate is not known: live might need everything' };
  const headroom = headroomShare * capacity;
  return {
    reason,
    eventsPerSecond: Math.max(0, capacity - live - headroom),
    detail: `${round(capacity)} events/s of capacity, less ${round(live)} of live and ${round(headroom)} of headroom`,
  };
}

function adaptiveCeiling(
  memory: AdaptiveMemory | null,
  { health, because }: HealthReport,
  blind: boolean,
): Ceiling {
  const reason = 'adaptive';
  if (memory === null) return { reason, eventsPerSecond: null, detail: 'no signal has a target' };
  const why = because === null ? 'all signals within target' : inWords(because);
  if (blind) return { reason, eventsPerSecond: 0, detail: `${why}: nothing but the floor until it can be` };
  return { reason, eventsPerSecond: memory.eventsPerSecond, detail: `${doing(memory, health)}: ${why}` };
}

/** The phase says what a rate may do that is well. One whose signals are not does not grow. */
function doing({ phase, cuts }: AdaptiveMemory, health: Health): string {
  if (phase === 'frozen') return 'frozen';
  if (health === 'breached') return cuts > 0 ? 'cut back' : 'holds still';
  if (health === 'near') return 'holds still';
  return phase === 'slow_start' ? 'slow start' : 'probing upwards';
}

function inWords(reading: SignalReading): string {
  const { name, value, target } = reading;
  if (value === null) return `${name} cannot be read and counts as bad`;
  const held = heldTarget(reading);
  const part = held === null || held === target ? '' : ` (held to ${round(held)})`;
  return `${name} is ${round(value)}, its target ${target === null ? 'none' : round(target)}${part}`;
}

function stormCeiling({ storming }: StormMemory, liveLagMs: number | null): Ceiling {
  return storming
    ? {
        reason: 'storm',
        eventsPerSecond: 0,
        detail: `replay is feeding its own backlog: live has fallen ${round(liveLagMs ?? 0)} ms behind while it ran`,
      }
    : { reason: 'storm', eventsPerSecond: null, detail: 'live lag does not grow with replay' };
}

/**
 * What an operator may ask for without a second thought: min(stream, max(floor, min(storm, live-first, adaptive, share))). Of the adaptive
 * rate that is the ground it knows, not where a slow start happens to be: it goes there by itself, and looks. While a signal is
 * breached nothing is known but the rate itself.
 */
function safeRateOf(
  { capacityEventsPerSecond, measuredEventsPerSecond, replayShare }: GuardInputs,
  guard: Guard,
  known: AdaptiveMemory | null,
): SafeRate {
  const capacity = sizingCapacity(capacityEventsPerSecond, measuredEventsPerSecond);
  if (capacity === null) return { eventsPerSecond: null, why: 'the capacity has not been measured yet' };
  if (guard.hardStop !== null) return { eventsPerSecond: 0, why: guard.hardStop };
  const ground = known === null || guard.health.health === 'breached' ? 0 : known.threshold;
  const adaptive: Ceiling =
    known === null
      ? guard.adaptive
      : { ...guard.adaptive, eventsPerSecond: Math.max(known.eventsPerSecond, ground) };
  const share: Ceiling = {
    reason: 'share',
    eventsPerSecond: replayShare * capacity,
    detail: `the pipeline's replay share of ${round(capacity)} events/s`,
  };
  const aboveFloor = [share, guard.storm, guard.liveFirst, adaptive].reduce(lower);
  const floor: Ceiling = {
    ...aboveFloor,
    eventsPerSecond: Math.max(guard.floorEventsPerSecond, limitOf(aboveFloor)),
  };
  const lowest = lower(floor, guard.stream);
  return { eventsPerSecond: limitOf(lowest), why: lowest.detail };
}

function lower(low: Ceiling, other: Ceiling): Ceiling {
  return limitOf(other) < limitOf(low) ? other : low;
}

/** No limit is infinitely high. */
function limitOf({ eventsPerSecond }: Ceiling): number {
  return eventsPerSecond ?? Number.POSITIVE_INFINITY;
}

function round(value: number): string {
  return String(Math.abs(value) >= 10 ? Math.round(value) : Math.round(value * 100) / 100);
}
