import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdaptiveMemory } from '../../src/governor/adaptive.ts';
import {
  type Guard,
  type GuardInputs,
  type GuardMemory,
  guardLive,
  unguarded,
} from '../../src/governor/guard.ts';
import { aReading, measurements } from './a-guard.ts';

const guardOf = (over: Partial<GuardInputs>, before: GuardMemory = unguarded): Guard =>
  guardLive(measurements(over), before).guard;
const after = (over: Partial<GuardInputs>, before: GuardMemory = unguarded): GuardMemory =>
  guardLive(measurements(over), before).memory;

const settled = {
  eventsPerSecond: 700,
  phase: 'avoidance',
  threshold: 850,
  lastGood: 1_000,
  trodden: 1_000,
  changedMs: 0,
  cutMs: 0,
  cuts: 0,
  proven: false,
  breachedMs: null,
  nearMs: null,
  begunMs: -60_000,
  untestedMs: null,
} as const;

const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });

describe('what live leaves', () => {
  test.each<[string, Partial<GuardInputs>, number | null]>([
    ['capacity less live less headroom', {}, 8_000],
    ['live takes nearly all', { liveEventsPerSecond: 8_900 }, 100],
    ['live takes more than there is', { liveEventsPerSecond: 20_000 }, 0],
    ['nobody has said what live takes: it might be all', { liveEventsPerSecond: null }, 0],
    ['nobody knows what there is', { capacityEventsPerSecond: null }, null],
  ])('live-first, %s', (_name, over, expected) => {
    expect(guardOf(over).liveFirst).toMatchObject({ reason: 'live_first', eventsPerSecond: expected });
  });

  test.each<[string, Partial<GuardInputs>, RegExp | null]>([
    ['the store answers', { storeSilentMs: 999 }, null],
    ['the store owes an answer for a second', { storeSilentMs: 1_000 }, /has not answered for 1\.0 s/],
    [
      'its applier is not heard',
      { storeSilentMs: 6_400, applierSilentMs: 4_000 },
      /^the apply worker has not been heard for 4\.0 s$/,
    ],
    ['no applier reports', { storeSilentMs: null }, /no apply worker/],
    [
      'one is heard of that does not',
      { storeSilentMs: null, unreported: 'the applier has stopped' },
      /^the applier has stopped$/,
    ],
  ])('hard stop: %s', (_name, over, expected) => {
    const { hardStop } = guardOf(over);
    if (expected === null) expect(hardStop).toBeNull();
    else expect(hardStop).toMatch(expected);
  });

  test('after a stall live catches up first: nothing but the floor until then, and no longer', () => {
    const stalled = after({ storeSilentMs: 5_000, liveLagMs: 5_000 });
    const behind = guardLive(measurements({ nowMs: 250, liveLagMs: 3_000, floorShare: 0.02 }), stalled);
    expect(behind.guard.hardStop).toBeNull();
    expect(behind.guard.liveFirst).toMatchObject({ eventsPerSecond: 0 });
    expect(behind.guard.liveFirst.detail).toMatch(/catching up.*3000 ms/);
    expect(behind.guard.floorEventsPerSecond).toBe(200);
    expect(behind.memory.adaptive?.phase).toBe('frozen');
    const still = guardLive(measurements({ nowMs: 400, liveLagMs: 300 }), behind.memory);
    expect(still.guard.liveFirst.eventsPerSecond).toBe(0);
    const caughtUp = guardLive(measurements({ nowMs: 500, liveLagMs: 200 }), still.memory);
    expect(caughtUp.guard.liveFirst.eventsPerSecond).toBe(8_000);
    expect(caughtUp.memory).toMatchObject({ stopped: false, adaptive: { phase: 'slow_start' } });
    // Falling behind later is not catching up.
    expect(guardOf({ nowMs: 750, liveLagMs: 3_000 }, caughtUp.memory).liveFirst.eventsPerSecond).toBe(8_000);
  });

  test('a lag nobody can read does not hold replay back after a stall', () => {
    expect(guardOf({ liveLagMs: null }, after({ storeSilentMs: 5_000 })).liveFirst.eventsPerSecond).toBe(
      8_000,
    );
  });

  test('a governing signal that cannot be read: nothing but the floor, at once, and half the last good rate after', () => {
    const known = after({ replay: { ...measurements().replay, publishedEventsPerSecond: 200 } });
    const blind = guardLive(measurements({ nowMs: 250, signals: [aReading({ value: null })] }), known);
    expect(blind.guard.adaptive).toMatchObject({ eventsPerSecond: 0 });
    expect(blind.guard.adaptive.detail).toMatch(/liveFreshnessMsP99 cannot be read/);
    const seeing = guardLive(measurements({ nowMs: 500 }), blind.memory);
    expect(seeing.guard.adaptive.eventsPerSecond).toBe(100);
  });

  test('an unreadable signal that may be ignored changes nothing', () => {
    const signals = [aReading(), aReading({ name: 'probe', value: null, failMode: 'ignore' })];
    expect(guardOf({ signals }).adaptive).toEqual(guardOf({}).adaptive);
  });

  test('without a target the adaptive ceiling is off, and says so', () => {
    const { adaptive, health } = guardOf({ signals: [aReading({ target: null })] });
    expect(health.health).toBe('off');
    expect(adaptive).toMatchObject({ eventsPerSecond: null, detail: 'no signal has a target' });
  });

  test('what was published before the gate closed still feeds a storm', () => {
    let memory = unguarded;
    for (let pass = 0; pass < 16; pass++)
      memory = after(
        {
          nowMs: pass * 250,
          liveLagMs: 600 + 100 * pass,
          signals: [],
          replay: { ...measurements().replay, publishedEventsPerSecond: 0, appliedEventsPerSecond: 800 },
        },
        memory,
      );
    expect(memory.storm.storming).toBe(true);
    expect(guardOf({ nowMs: 4_000, liveLagMs: 2_200 }, memory).storm).toMatchObject({ eventsPerSecond: 0 });
  });

  test.each<[string, Partial<GuardInputs>, number | null, RegExp]>([
    ['the replay share', { liveEventsPerSecond: 1_000, signals: [] }, 5_000, /replay share/],
    ['less when live needs it', { liveEventsPerSecond: 7_000, signals: [] }, 2_000, /of live/],
    ['the same while slow start is on its way there', {}, 5_000, /replay share/],
    [
      'the floor while a signal cannot be read',
      { signals: [aReading({ value: null })], floorShare: 0.02 },
      200,
      /cannot be read/,
    ],
    [
      'the floor when nothing is left',
      { liveEventsPerSecond: 20_000, floorShare: 0.02, signals: [] },
      200,
      /of live/,
    ],
    ['nothing while the store is silent', { storeSilentMs: 3_000, floorShare: 0.02 }, 0, /not answered/],
    ['unknown without a capacity', { capacityEventsPerSecond: null }, null, /not been measured/],
  ])('the safe rate is %s', (_name, over, eventsPerSecond, why) => {
    const { safeRate } = guardOf(over);
    expect(safeRate.eventsPerSecond).toBe(eventsPerSecond);
    expect(safeRate.why).toMatch(why);
  });

  test('an unknown capacity does not switch the signals off, and what was learned without it is forgotten with it', () => {
    const unknown = {
      capacityEventsPerSecond: null,
      replay: { ...measurements().replay, publishedEventsPerSecond: 500 },
    };
    const breached = { ...unknown, signals: [aReading({ value: 900 })] };
    const learned = after({ ...unknown, nowMs: 0 });
    const cut = guardLive(measurements({ ...breached, nowMs: 60_000 }), {
      ...learned,
      adaptive: { ...settled, eventsPerSecond: 500 },
    });
    expect(cut.guard.adaptive.eventsPerSecond).toBeCloseTo(350);
    expect(
      guardOf({ ...unknown, nowMs: 60_250, signals: [aReading({ value: null })] }, cut.memory).adaptive,
    ).toMatchObject({ eventsPerSecond: 0 });
    const known = after({ nowMs: 60_500, measuredEventsPerSecond: null }, cut.memory);
    expect(known).toMatchObject({
      sizedBy: 'hand',
      adaptive: { phase: 'slow_start', threshold: 10_000 },
    });
    // The first thing that is measured of a store whose capacity was set by hand.
    expect(after({ nowMs: 60_750, measuredEventsPerSecond: 200 }, known)).toMatchObject({
      sizedBy: 'measured',
      adaptive: { phase: 'slow_start', eventsPerSecond: 4, lastGood: 4 },
    });
  });

  test('while a signal is breached the safe rate is what is left, not where it broke', () => {
    const adaptive = { ...settled, eventsPerSecond: 700, threshold: 850, cutMs: 0 };
    const safeAt = (value: number) =>
      guardOf({ nowMs: 250, signals: [aReading({ value })] }, { ...unguarded, adaptive }).safeRate
        .eventsPerSecond;
    expect(safeAt(20)).toBe(850);
    expect(safeAt(150)).toBe(700);
  });

  test('in a storm the safe rate is the floor, and says why', () => {
    const storming: GuardMemory = {
      ...unguarded,
      storm: { storming: true, growing: null, calmSinceMs: null },
    };
    const { safeRate } = guardOf({ nowMs: 250, liveLagMs: 4_000, floorShare: 0.02, signals: [] }, storming);
    expect(safeRate).toEqual({
      eventsPerSecond: 200,
      why: 'replay is feeding its own backlog: live has fallen 4000 ms behind while it ran',
    });
  });

  test('the safe rate is never above what the stream allows, not even for the floor', () => {
    const full = {
      ...measurements().replay,
      streamLength: 100_000,
      highWaterMark: 10_000,
      appliedEventsPerSecond: 0,
    };
    expect(guardOf({ replay: full, floorShare: 0.02 }).safeRate.eventsPerSecond).toBe(0);
  });

  test('the safe rate is no more than what has been found to be', () => {
    const known: GuardMemory = { ...unguarded, adaptive: settled };
    expect(guardOf({ nowMs: 250 }, known).safeRate).toMatchObject({
      eventsPerSecond: 850,
      why: expect.stringMatching(/probing upwards/),
    });
  });

  test.each<[string, number, Partial<AdaptiveMemory>, string]>([
    ['well', 20, {}, 'probing upwards: all signals within target'],
    ['well, and begun lately', 20, { phase: 'slow_start' }, 'slow start: all signals within target'],
    ['near what it is held to', 85, {}, 'holds still: liveFreshnessMsP99 is 85, its target 100'],
    ['breached, and no cut yet', 139, {}, 'holds still: liveFreshnessMsP99 is 139, its target 100'],
    ['breached, and cut', 139, { cuts: 2 }, 'cut back: liveFreshnessMsP99 is 139, its target 100'],
    [
      'breached in slow start',
      139,
      { phase: 'slow_start' },
      'holds still: liveFreshnessMsP99 is 139, its target 100',
    ],
    [
      'beyond what it is held to alone',
      95,
      { cuts: 1 },
      'cut back: liveFreshnessMsP99 is 95, its target 100 (held to 90)',
    ],
  ])('says what the adaptive rate does: %s', (_name, value, over, expected) => {
    const heldPart = value === 95 ? { heldPart: 0.9 } : {};
    // The cooldown is not over: what it did last stands.
    const adaptive = { ...settled, changedMs: 60_000, cutMs: 59_000, begunMs: 0, ...over };
    const said = guardOf(
      {
        nowMs: 60_000,
        signals: [aReading({ value, ...heldPart })],
        replay: { ...measurements().replay, publishedEventsPerSecond: 700, appliedEventsPerSecond: 700 },
      },
      { ...unguarded, adaptive },
    ).adaptive;
    expect(said.detail).toBe(expected);
  });

  const anything = fc.record({
    capacityEventsPerSecond: maybe(fc.double({ min: 1, max: 1e6, noNaN: true })),
    headroomShare: fc.double({ min: 0, max: 1, noNaN: true }),
    floorShare: fc.double({ min: 0, max: 0.2, noNaN: true }),
    liveEventsPerSecond: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
    liveLagMs: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
    freshnessTargetMs: maybe(fc.double({ min: 1, max: 1e4, noNaN: true })),
    storeSilentMs: maybe(fc.double({ min: 0, max: 5_000, noNaN: true })),
    signals: fc.array(
      fc
        .record({
          value: maybe(fc.double({ min: 0, max: 1e6 })),
          target: maybe(fc.double({ min: 0.1, max: 1e5, noNaN: true })),
          failMode: fc.constantFrom('bad' as const, 'ignore' as const),
        })
        .map(aReading),
      { maxLength: 3 },
    ),
    replay: fc.record({
      publishedEventsPerSecond: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
      appliedEventsPerSecond: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
      streamLength: maybe(fc.nat(1_000_000)),
      highWaterMark: fc.integer({ min: 1_000, max: 1_000_000 }),
    }),
  });

  test('whatever was measured, and however the clock leaps: ceilings are numbers of nothing or more, each with its reason in words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anything, fc.integer({ min: -3_600_000, max: 3_600_000 })), { maxLength: 40 }),
        (all) => {
          let memory = unguarded;
          for (const [over, nowMs] of all) {
            const guarded = guardLive(measurements({ ...over, nowMs }), memory);
            memory = guarded.memory;
            const { liveFirst, adaptive, storm, stream, safeRate, floorEventsPerSecond } = guarded.guard;
            for (const { eventsPerSecond, detail } of [liveFirst, adaptive, storm, stream]) {
              expect(eventsPerSecond ?? 0).toBeGreaterThanOrEqual(0);
              expect(Number.isFinite(eventsPerSecond ?? 0)).toBe(true);
              expect(detail).not.toBe('');
            }
            expect(safeRate.eventsPerSecond ?? 0).toBeGreaterThanOrEqual(0);
            expect(floorEventsPerSecond).toBeGreaterThanOrEqual(0);
            expect(safeRate.why).not.toBe('');
          }
        },
      ),
    );
  });
});
