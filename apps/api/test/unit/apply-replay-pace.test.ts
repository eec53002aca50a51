import { describe, expect, it } from 'vitest';
import { ReplayPace } from '../../src/data-plane/apply/replay-pace.ts';
import { ToldFreshness } from '../../src/data-plane/apply/told-freshness.ts';

/** Commits one after the other for so long, on a store where a row takes so much. */
function committed(
  pace: ReplayPace,
  clock: { mono: number },
  world: { ms: number; rowMs: number; freshnessMsP99: number | null; freshnessTargetMs?: number | null },
): number {
  const { ms, rowMs, freshnessMsP99, freshnessTargetMs = 20 } = world;
  let commitMs = 0;
  for (const until = clock.mono + ms; clock.mono < until; clock.mono += commitMs) {
    const { rows } = pace;
    commitMs = 2 + rows * rowMs;
    pace.replayCommitted({ rows, commitMs }, () => ({ freshnessMsP99, freshnessTargetMs }));
  }
  return commitMs;
}

describe('rows of replay at once', () => {
  const begin = (beside: boolean, freshnessTargetMs: number | null = 20) => {
    const clock = { mono: 0, monotonic: () => clock.mono };
    return { clock, pace: new ReplayPace(clock, { beside, freshnessTargetMs }) };
  };

  it('are what is cheap where live has a loop of its own, and rationed where it waits for them', () => {
    const seen = { ms: 400, rowMs: 0.05, freshnessMsP99: 4 };
    const beside = begin(true);
    expect(committed(beside.pace, beside.clock, seen)).toBeGreaterThan(18);
    const before = begin(false);
    expect(committed(before.pace, before.clock, seen)).toBeLessThan(5);
  });

  it('are cut as far as live suffers, and come back when it does not', () => {
    const { pace, clock } = begin(true);
    committed(pace, clock, { ms: 400, rowMs: 0.05, freshnessMsP99: 4 });
    expect(committed(pace, clock, { ms: 10_000, rowMs: 0.05, freshnessMsP99: 19 })).toBeLessThan(4.6);
    expect(committed(pace, clock, { ms: 30_000, rowMs: 0.05, freshnessMsP99: 4 })).toBeGreaterThan(18);
  });

  it('are as they were while nobody can say what live sees', () => {
    const { pace, clock } = begin(true);
    const before = committed(pace, clock, { ms: 1_000, rowMs: 0.05, freshnessMsP99: null });
    expect(committed(pace, clock, { ms: 10_000, rowMs: 0.05, freshnessMsP99: null })).toBeCloseTo(before, 0);
  });

  it('begin anew with another target', () => {
    const { pace, clock } = begin(true);
    committed(pace, clock, { ms: 10_000, rowMs: 0.05, freshnessMsP99: 19 });
    const seen = { ms: 1_000, rowMs: 0.05, freshnessMsP99: null, freshnessTargetMs: null };
    expect(committed(pace, clock, seen)).toBeGreaterThan(18);
  });
});

it('what the api told of live is believed for three seconds', () => {
  const clock = { mono: 0, monotonic: () => clock.mono };
  const told = new ToldFreshness(clock);
  expect(told.recentMsP99()).toBeNull();
  told.learn(19);
  clock.mono = 2_999;
  expect(told.recentMsP99()).toBe(19);
  clock.mono = 3_000;
  expect(told.recentMsP99()).toBeNull();
  told.learn(null);
  expect(told.recentMsP99()).toBeNull();
});
