/** The report of a drill, from looks made up second by second: what happened when, and what is not claimed. */
import { describe, expect, it } from 'vitest';
import {
  calledOff,
  type DrillLook,
  type DrillProgress,
  type DrillSetting,
  detailOf,
  failed,
  notStalled,
  observed,
  released,
  stagesOf,
  stalled,
} from '../../src/control-plane/drills/report.ts';
import { columnsOf } from '../../src/control-plane/drills/resource.ts';

const T = 1_000_000;
const setting: DrillSetting = {
  highWaterMark: 2_000,
  freshnessTargetMs: 100,
  freshnessMsBefore: 12,
  replayEventsPerSecondBefore: 1_000,
};
const well = { storeSilentMs: 4, blockedRatio: 0.1, freshnessMs: 12, liveLagMs: 0, backlog: 50 };
const gate = { stream: 'replay', closed: false, closedAt: null, openedAt: null, peakLength: 60 };

type Change = Partial<Omit<DrillLook, 'applier'>> & { applier?: Partial<DrillLook['applier']> };
function look(atMs: number, change: Change = {}): DrillLook {
  return {
    atMs: T + atMs,
    gates: [gate],
    replayEventsPerSecond: 1_000,
    grantedEventsPerSecond: 1_000,
    replayRuns: true,
    ...change,
    applier: change.applier === null ? null : { ...well, ...change.applier },
  };
}

function see(before: DrillProgress, looks: readonly DrillLook[], how: DrillSetting = setting): DrillProgress {
  return looks.reduce((progress, seen) => observed(how, progress, seen), before);
}

const atStall = stalled(notStalled, T);

describe('a store that stands still', () => {
  it('fills stage after stage, each told from when it was full', () => {
    const progress = see(atStall, [
      look(40, { applier: null }),
      look(210, { applier: { storeSilentMs: 190, blockedRatio: 0.7, backlog: 300 } }),
      look(460, { applier: { storeSilentMs: 440, blockedRatio: 1, backlog: 700 } }),
      look(1_500, { applier: { storeSilentMs: 1_480, blockedRatio: 1, backlog: 1_900 } }),
      look(1_760, {
        applier: { storeSilentMs: 1_740, blockedRatio: 1, backlog: 2_004 },
        gates: [{ ...gate, closed: true, closedAt: T + 1_600, peakLength: 2_010 }],
      }),
    ]);
    expect(stagesOf(progress)).toEqual({
      store: T + 20,
      aggregate: T + 20,
      stream: T + 1_600,
      source: T + 1_600,
    });
    expect(progress).toMatchObject({ state: 'stalling', readerStoppedAt: T + 1_600, peakBacklog: 2_010 });
  });

  it('is full at the report that says so while the reader has not run into it', () => {
    const progress = see(atStall, [look(500, { applier: { storeSilentMs: 480, backlog: 2_000 } })]);
    expect(stagesOf(progress)).toMatchObject({ stream: T + 500, source: null });
  });

  it('holds the applier up by blocking it for a whole tick, also when it gives up on single commits', () => {
    const progress = see(atStall, [
      look(300, { applier: { storeSilentMs: 120, blockedRatio: 0.5 } }),
      look(550, { applier: { storeSilentMs: 60, blockedRatio: 0.97 } }),
    ]);
    expect(stagesOf(progress)).toMatchObject({ store: T + 180, aggregate: T + 300 });
  });

  it.each([
    ['an ordinary commit under way', { storeSilentMs: 60, blockedRatio: 0.2 }],
    ['an applier pressed by replay, while the store answers', { storeSilentMs: 20, blockedRatio: 1 }],
    ['an applier with nothing to write', { storeSilentMs: 0, blockedRatio: 0 }],
  ])('is not told from %s', (_what, applier) => {
    const progress = see(atStall, [look(250, { applier }), look(500, { applier })]);
    expect(stagesOf(progress)).toEqual({ store: null, aggregate: null, stream: null, source: null });
  });

  it('never began to owe before it stood still', () => {
    const progress = see(atStall, [look(60, { applier: { storeSilentMs: 400 } })]);
    expect(stagesOf(progress)).toMatchObject({ store: T, aggregate: T });
  });

  it('takes the last of several readers, and the longest length any of them saw', () => {
    const gates = [
      { ...gate, closed: true, closedAt: T + 900, peakLength: 2_300 },
      { ...gate, closed: true, closedAt: T + 1_100, peakLength: 2_100 },
      gate,
    ];
    expect(see(atStall, [look(1_200, { gates })])).toMatchObject({
      readerStoppedAt: T + 1_100,
      peakBacklog: 2_300,
    });
  });

  it('believes the newest word of a gate that opened once more', () => {
    const closedBefore = { ...gate, closed: true, closedAt: T - 80 };
    const reopened = { ...gate, closedAt: T - 80, openedAt: T - 10 };
    const first = see(atStall, [look(50, { gates: [closedBefore] })]);
    expect(first.readerStoppedAt).toBe(T - 80);
    expect(see(first, [look(300, { gates: [reopened] })]).readerStoppedAt).toBeNull();
    const again = { ...reopened, closed: true, closedAt: T + 700 };
    expect(see(first, [look(900, { gates: [again] })]).readerStoppedAt).toBe(T + 700);
  });
});

describe('the release', () => {
  const stoppedGate = { ...gate, closed: true, closedAt: T + 1_600, peakLength: 2_010 };
  const full = see(atStall, [
    look(460, { applier: { storeSilentMs: 440 } }),
    look(1_760, { applier: { storeSilentMs: 1_740, backlog: 2_004 }, gates: [stoppedGate] }),
  ]);
  const free = released(full, T + 5_000);
  const behind = { freshnessMs: 3_000, liveLagMs: 3_000, backlog: 1_900 };
  const open = { ...stoppedGate, closed: false, openedAt: T + 5_400, peakLength: 1_600 };

  it('is followed by recovery when live, backlog and reader are all well, at the last of them', () => {
    const looks = [
      look(5_100, { applier: behind, gates: [stoppedGate], replayEventsPerSecond: 0 }),
      look(5_500, { applier: { ...behind, backlog: 1_500 }, gates: [open], replayEventsPerSecond: 100 }),
      look(6_000, { applier: { freshnessMs: 2_000 }, gates: [open], replayEventsPerSecond: 950 }),
      look(7_000, { applier: { freshnessMs: 90 }, gates: [open], replayEventsPerSecond: 700 }),
    ];
    expect(see(free, looks.slice(0, 3))).toMatchObject({ state: 'recovering', recoveredAt: null });
    const progress = see(free, looks);
    expect(progress).toMatchObject({ state: 'finished', recoveredAt: T + 7_000, readerStoppedAt: T + 1_600 });
    expect(detailOf(setting, progress)).toBeNull();
  });

  it.each([
    ['live behind', look(6_000, { applier: { freshnessMs: 400 } })],
    ['live lag', look(6_000, { applier: { liveLagMs: 400 } })],
    ['live unknown', look(6_000, { applier: { freshnessMs: null, liveLagMs: null } })],
    ['no new report', look(6_000, { applier: null })],
    ['the backlog', look(6_000, { applier: { backlog: 1_601 }, gates: [stoppedGate] })],
    ['the reader', look(6_000, { replayEventsPerSecond: 899 })],
    ['the reader unknown', look(6_000, { replayEventsPerSecond: null })],
  ])('is not recovery with %s', (_what, seen) => {
    expect(see(free, [seen])).toMatchObject({ state: 'recovering', recoveredAt: null });
  });

  it('asks live for no more than it was before', () => {
    const how = { ...setting, freshnessTargetMs: 10, freshnessMsBefore: 300 };
    expect(see(free, [look(6_000, { applier: { freshnessMs: 590 } })], how).recoveredAt).toBe(T + 6_000);
    expect(see(free, [look(6_000, { applier: { freshnessMs: 610 } })], how).recoveredAt).toBeNull();
  });

  it('waits for no reader when none ran, and says so', () => {
    const how = { ...setting, replayEventsPerSecondBefore: null };
    const progress = see(
      released(atStall, T + 1_000),
      [look(1_300, { replayEventsPerSecond: null, replayRuns: false })],
      how,
    );
    expect(progress).toMatchObject({ state: 'finished', recoveredAt: T + 1_300 });
    expect(detailOf(how, progress)).toContain('No replay was running');
  });

  it('waits for no reader whose replay has ended, and says so', () => {
    const progress = see(free, [look(6_000, { replayEventsPerSecond: 0, replayRuns: false })]);
    expect(progress).toMatchObject({ state: 'finished', recoveredAt: T + 6_000 });
    expect(detailOf(setting, progress)).toContain('Replay ended or was paused meanwhile');
  });

  it('is given up on after a minute, and names what was missing', () => {
    const late = [
      look(65_000, { applier: behind }),
      look(65_001, { applier: behind, replayEventsPerSecond: 10 }),
    ];
    expect(see(free, late.slice(0, 1)).state).toBe('recovering');
    const progress = see(free, [
      look(65_001, { applier: behind, gates: [stoppedGate], replayEventsPerSecond: 10 }),
    ]);
    expect(progress).toMatchObject({ state: 'finished', recoveredAt: null });
    expect(detailOf(setting, progress)).toBe(
      'Not all was normal again within 60 s after the release: live was not as fresh as before, the backlog was not worked off, replay was not back at nine tenths of its rate.',
    );
  });

  it('may be told before the last stop of the reader, but not be the cause of a later one', () => {
    const early = released(see(atStall, [look(100)]), T + 1_000);
    const behindNow = { freshnessMs: 900 };
    const during = see(early, [
      look(1_100, { applier: behindNow, gates: [{ ...stoppedGate, closedAt: T + 950 }] }),
    ]);
    expect(during.readerStoppedAt).toBe(T + 950);
    const after = see(during, [
      look(1_400, { applier: behindNow, gates: [{ ...stoppedGate, closedAt: T + 1_200 }] }),
    ]);
    expect(after.readerStoppedAt).toBe(T + 950);
  });
});

describe('a drill that is called off', () => {
  const byDana = { by: 'Dana', forMs: 20_000 };
  const none = { ...setting, replayEventsPerSecondBefore: null };
  const wished = calledOff(atStall, byDana);

  it('goes on stalling until the store is released, and to recovery from there', () => {
    expect(wished).toMatchObject({ state: 'stalling', releasedAt: null });
    expect(detailOf(setting, wished)).toBeNull();
    const progress = see(released(wished, T + 8_000), [look(9_000)]);
    expect(progress).toMatchObject({
      state: 'finished',
      releasedAt: T + 8_000,
      recoveredAt: T + 9_000,
      trouble: null,
    });
  });

  it.each([
    ['in the middle', 8_000, 20_000, 'Released by Dana after 8.0 s of 20.0 s.'],
    ['at once', 40, 30_000, 'Released by Dana after 0.0 s of 30.0 s.'],
    ['in its last moment', 499, 500, 'Released by Dana after 0.5 s of 0.5 s.'],
  ])('%s says by whom and after how long, before anything else', (_when, afterMs, forMs, sentence) => {
    const progress = released(calledOff(atStall, { by: 'Dana', forMs }), T + afterMs);
    expect(detailOf(none, progress)).toBe(
      `${sentence} No replay was running: nothing was there to fill the stream, and only live counts.`,
    );
  });

  it('is told by who came first', () => {
    const progress = released(calledOff(wished, { by: 'Eve', forMs: 20_000 }), T + 8_000);
    expect(detailOf(none, progress)).toContain('Released by Dana after 8.0 s');
  });

  it.each([
    ['released by itself', released(atStall, T + 20_000)],
    ['over', see(released(atStall, T + 20_000), [look(21_000)])],
    ['failed', failed(atStall, T + 600, 'Cut.')],
  ])('when it was %s already is as it was', (_state, before) => {
    expect(calledOff(before, byDana)).toBe(before);
  });

  it('while its lock is awaited has failed, and stalled nothing', () => {
    const progress = failed(calledOff(notStalled, byDana), T + 300, 'The drill failed: it was called off.');
    expect(progress).toMatchObject({ state: 'failed', stalledAt: null, releasedAt: null });
    expect(detailOf(setting, progress)).toBe(
      'Called off by Dana while its lock was still awaited: nothing was stalled.',
    );
  });

  it('is not what ended a stall that something else ended first', () => {
    const progress = failed(wished, T + 600, 'The api was stopped in the middle of the drill.');
    expect(progress).toMatchObject({ state: 'failed', releasedAt: T + 600 });
    expect(detailOf(none, progress)).not.toContain('Dana');
    const later = failed(released(wished, T + 8_000), T + 9_000, 'The api was stopped.');
    expect(detailOf(none, later)).toContain('The api was stopped. Released by Dana after 8.0 s of 20.0 s.');
  });
});

describe('what the figures do not say', () => {
  it('that the governor stopped replay before the stream was full', () => {
    const progress = released(
      see(atStall, [look(1_200, { grantedEventsPerSecond: 0 }), look(2_000, { grantedEventsPerSecond: 0 })]),
      T + 3_000,
    );
    expect(progress.governorStoppedAt).toBe(T + 1_200);
    expect(columnsOf(setting, progress).governorStoppedAt).toEqual(new Date(T + 1_200));
    expect(detailOf(setting, progress)).toBe(
      'The governor stopped replay before the stream was full, so the reader never came to its gate.',
    );
  });

  it('that nothing was given to a replay that published nothing before is not the governor stopping it', () => {
    const how = { ...setting, replayEventsPerSecondBefore: null };
    const progress = see(atStall, [look(1_200, { grantedEventsPerSecond: 0 })], how);
    expect(progress.governorStoppedAt).toBeNull();
  });

  it('that the stall was too short', () => {
    expect(detailOf(setting, released(see(atStall, [look(200)]), T + 300))).toContain(
      'over before the stream was full',
    );
  });

  it('that the reader stood there already', () => {
    const progress = released(
      see(atStall, [look(50, { gates: [{ ...gate, closed: true, closedAt: T - 500 }] })]),
      T + 300,
    );
    expect(detailOf(setting, progress)).toContain('already when the stall began');
  });

  it('why it failed, with what was seen until then', () => {
    const before = failed(notStalled, T + 5_000, 'The store was not stalled.');
    expect(before).toMatchObject({ state: 'failed', stalledAt: null, releasedAt: null });
    expect(detailOf(setting, before)).toBe('The store was not stalled.');
    const amid = failed(see(atStall, [look(460, { applier: { storeSilentMs: 440 } })]), T + 600, 'Cut.');
    expect(amid).toMatchObject({ state: 'failed', storeFilledAt: T + 20, releasedAt: T + 600 });
    expect(see(amid, [look(700)])).toBe(amid);
  });

  it('nothing is seen before the lock is had', () => {
    expect(see(notStalled, [look(10, { applier: { storeSilentMs: 4_000, backlog: 9_999 } })])).toBe(
      notStalled,
    );
  });
});
