import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstBudgetMs, nextBudgetMs } from '../../src/data-plane/apply/commit-budget.ts';
import { nextBatch } from '../../src/data-plane/apply/next-batch.ts';
import { ReplayFloor } from '../../src/data-plane/apply/replay-floor.ts';
import type { DeliveredEntry, Publisher } from '../../src/data-plane/ports.ts';

describe('the time a replay commit may take', () => {
  it.each([
    ['no target: as long as is cheap', 7, { freshnessMsP99: 500, freshnessTargetMs: null }, 20],
    ['near the target: cut', 18, { freshnessMsP99: 90, freshnessTargetMs: 100 }, 13.5],
    ['beyond it: cut', 20, { freshnessMsP99: 900, freshnessTargetMs: 100 }, 15],
    ['never shorter than a small commit takes', 3, { freshnessMsP99: 900, freshnessTargetMs: 20 }, 3],
    ['nor than an eighth of the target', 13, { freshnessMsP99: 900, freshnessTargetMs: 100 }, 12.5],
    ['well within: a little longer', 10, { freshnessMsP99: 40, freshnessTargetMs: 100 }, 10.8],
    ['in between: as it is', 10, { freshnessMsP99: 75, freshnessTargetMs: 100 }, 10],
    ['no live event: as it is', 10, { freshnessMsP99: null, freshnessTargetMs: 100 }, 10],
    ['never longer than is cheap', 20, { freshnessMsP99: 1, freshnessTargetMs: 100 }, 20],
  ])('%s', (_, budgetMs, seen, expected) => {
    expect(nextBudgetMs(budgetMs, seen)).toBeCloseTo(expected, 6);
  });

  it('settles where live is within its target, when waiting for a commit is what live does', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2, max: 15, noNaN: true }),
        fc.double({ min: 1.2, max: 3, noNaN: true }),
        (restMs, worstCommit) => {
          const freshnessTargetMs = restMs + 12;
          const seenBy = (budgetMs: number) => restMs + budgetMs * worstCommit;
          let budgetMs = firstBudgetMs(freshnessTargetMs);
          for (let half = 0; half < 60; half++)
            budgetMs = nextBudgetMs(budgetMs, { freshnessMsP99: seenBy(budgetMs), freshnessTargetMs });
          expect(seenBy(budgetMs)).toBeLessThanOrEqual(freshnessTargetMs);
        },
      ),
    );
  });
});

describe('the floor in the applier', () => {
  const clock = { mono: 0, monotonic: () => clock.mono };
  const half = { eventsPerSecond: 500, share: 0.05 };
  const starving = { entries: 1_000, oldestMs: 100 };
  const committedIn = (floor: ReplayFloor, ms: number) => {
    let rows = 0;
    for (const until = clock.mono + ms; clock.mono < until; clock.mono += 5) {
      const due = floor.due(half, starving);
      if (due > 0) floor.committed(due, 0);
      rows += due;
    }
    return rows;
  };

  it('is due at its rate, and is not saved up', () => {
    const floor = new ReplayFloor(clock);
    expect(committedIn(floor, 10_000)).toBeGreaterThan(4_900);
    expect(committedIn(floor, 10_000)).toBeLessThanOrEqual(5_125);
    clock.mono += 3_600_000;
    expect(floor.due(half, starving)).toBeLessThanOrEqual(125);
  });

  it('counts what replay commits anyway, for a second', () => {
    const floor = new ReplayFloor(clock);
    expect(floor.due(half, starving)).toBe(0);
    floor.committed(400, 0);
    expect(committedIn(floor, 800)).toBe(0);
    expect(committedIn(floor, 1_000)).toBeGreaterThan(400);
    floor.committed(40_000, 0);
    expect(committedIn(floor, 1_000)).toBe(0);
    expect(committedIn(floor, 1_000)).toBeGreaterThan(400);
  });

  it('takes no more of live’s time than half as much again as its share, however dear its rows are', () => {
    const floor = new ReplayFloor(clock);
    let spentMs = 0;
    const beganMs = clock.mono;
    while (clock.mono - beganMs < 60_000) {
      const due = floor.due(half, starving);
      if (due > 0) {
        clock.mono += 400;
        spentMs += 400;
        floor.committed(due, 400);
      } else clock.mono += 5;
    }
    expect(spentMs).toBeGreaterThan(0);
    expect(spentMs).toBeLessThanOrEqual(60_000 * 0.05 * 1.5 + 800);
  });

  it.each([
    [
      'nothing of it waits now and then',
      (at: number) => ({ entries: at % 20 === 0 ? 3 : 0, oldestMs: 5_000 }),
    ],
    ['it waits all the time, but no entry for long', () => ({ entries: 1_000, oldestMs: 99 })],
  ])('is not due where replay does not starve: %s', (_, waiting) => {
    const floor = new ReplayFloor(clock);
    for (let at = 0; at < 10_000; at += 5) {
      clock.mono += 5;
      expect(floor.due(half, waiting(at))).toBe(0);
    }
  });

  it('is nothing when there is none', () => {
    const floor = new ReplayFloor(clock);
    clock.mono += 10_000;
    expect(floor.due({ eventsPerSecond: 0, share: 0 }, starving)).toBe(0);
  });
});

describe('the next batch beside live', () => {
  const live: Publisher = { kind: 'live' };
  const backfill: Publisher = { kind: 'backfill', backfillId: 'b' };
  const entries = (publisher: Publisher, count: number, from = 0): DeliveredEntry[] =>
    Array.from({ length: count }, (_, index) => ({
      offset: String(from + index).padStart(6, '0'),
      entry: {
        type: 'event',
        event: { id: `${publisher.kind}${from + index}`, sourceId: 's', key: 'k', at: 0, value: 1 },
        publisher,
        publishedAt: 0,
      },
    }));
  const max = { live: 1_000, replay: 200, floor: 0 };

  it('is live while live waits, unless the floor is due', () => {
    const waiting = { live: entries(live, 5), replay: entries(backfill, 500) };
    expect(nextBatch(waiting, max)).toMatchObject({ lane: 'live', entries: 5 });
    expect(nextBatch(waiting, { ...max, floor: 30 })).toMatchObject({ lane: 'replay', entries: 30 });
    expect(nextBatch({ live: [], replay: waiting.replay }, max)).toMatchObject({
      lane: 'replay',
      entries: 200,
    });
    expect(nextBatch({ live: waiting.live, replay: [] }, { ...max, floor: 30 })).toMatchObject({
      lane: 'live',
    });
  });

  it('on a shared stream keeps the order, and cuts replay small there as well', () => {
    const shared = [...entries(backfill, 300), ...entries(live, 4, 300), ...entries(backfill, 10, 304)];
    const first = nextBatch({ live: shared, replay: [] }, max);
    expect(first).toMatchObject({ lane: 'live', publisher: backfill, entries: 200 });
    expect(nextBatch({ live: shared.slice(300), replay: [] }, max)).toMatchObject({
      publisher: live,
      entries: 4,
    });
  });
});
