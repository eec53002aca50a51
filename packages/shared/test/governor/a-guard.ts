import type { Ceiling } from '../../src/api/backfill.ts';
import type { Guard, GuardInputs } from '../../src/governor/guard.ts';
import type { SignalReading } from '../../src/governor/signals.ts';

const open = (reason: Ceiling['reason']): Ceiling => ({ reason, eventsPerSecond: null, detail: 'free' });

/** A guard that stands in nobody's way. */
export function aGuard(over: Partial<Guard> = {}): Guard {
  return {
    hardStop: null,
    floorEventsPerSecond: 0,
    liveFirst: open('live_first'),
    adaptive: open('adaptive'),
    storm: open('storm'),
    stream: open('stream'),
    health: { health: 'off', room: 0, gross: false, because: null },
    safeRate: { eventsPerSecond: null, why: 'nobody asked' },
    ...over,
  };
}

export function ceiling(reason: Ceiling['reason'], eventsPerSecond: number | null): Ceiling {
  return { reason, eventsPerSecond, detail: `at ${eventsPerSecond}` };
}

/** Live freshness within its target of 100 ms. */
export function aReading(over: Partial<SignalReading> = {}): SignalReading {
  return {
    name: 'liveFreshnessMsP99',
    value: 20,
    ageMs: 100,
    staleAfterMs: 1_000,
    target: 100,
    worseWhen: 'above',
    failMode: 'bad',
    ...over,
  };
}

/** A pipeline of 10,000 events/s at rest: 1,000 of them live, all well. */
export function measurements(over: Partial<GuardInputs> = {}): GuardInputs {
  return {
    nowMs: 0,
    capacityEventsPerSecond: 10_000,
    measuredEventsPerSecond: 10_000,
    headroomShare: 0.1,
    floorShare: 0,
    replayShare: 0.5,
    liveEventsPerSecond: 1_000,
    liveLagMs: 5,
    freshnessTargetMs: 100,
    signals: [aReading()],
    replay: {
      publishedEventsPerSecond: 0,
      appliedEventsPerSecond: 0,
      streamLength: 0,
      highWaterMark: 20_000,
    },
    storeSilentMs: 0,
    ...over,
  };
}
