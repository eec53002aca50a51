import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventQueue } from '../../src/simulation/event-queue.ts';

function queueOf(...cohorts: readonly (readonly [number, number])[]): EventQueue {
  const queue = new EventQueue();
  for (const [index, [live, replay]] of cohorts.entries()) queue.push(index, live, replay);
  return queue;
}

describe('what a commit takes off a shared stream', () => {
  test('is of one publisher, in the order they came, up to its limit', () => {
    const queue = queueOf([0, 30], [0, 30], [5, 40], [6, 0], [7, 0]);
    expect(queue.take(100, 50)).toEqual({ live: 0, replay: 50, oldestLiveMs: null });
    // Live stands behind: the commit ends there, although it might take more.
    expect(queue.take(100, 50)).toEqual({ live: 0, replay: 10, oldestLiveMs: null });
    expect(queue.take(100, 50)).toEqual({ live: 5, replay: 0, oldestLiveMs: 2 });
    expect(queue.take(100, 25)).toEqual({ live: 0, replay: 25, oldestLiveMs: null });
    expect(queue.take(100, 25)).toEqual({ live: 0, replay: 15, oldestLiveMs: null });
    expect(queue.take(10, 25)).toEqual({ live: 10, replay: 0, oldestLiveMs: 3 });
    expect(queue.take(10, 25)).toEqual({ live: 3, replay: 0, oldestLiveMs: 4 });
    expect(queue.take(10, 25)).toEqual({ live: 0, replay: 0, oldestLiveMs: null });
  });

  test('is all there was in the end, whatever the limits', () => {
    const amount = fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 100, noNaN: true }));
    const limit = fc.double({ min: 0.5, max: 60, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(amount, amount), { maxLength: 20 }),
        limit,
        limit,
        (cohorts, liveMax, replayMax) => {
          const queue = queueOf(...cohorts);
          const sum = { live: 0, replay: 0 };
          for (let commit = 0; queue.length > 1e-6 && commit < 20_000; commit++) {
            const { live, replay } = queue.take(liveMax, replayMax);
            expect(Math.min(live, replay)).toBe(0);
            expect(live <= liveMax && replay <= replayMax).toBe(true);
            sum.live += live;
            sum.replay += replay;
          }
          expect(sum.live).toBeCloseTo(
            cohorts.reduce((total, [live]) => total + live, 0),
            5,
          );
          expect(sum.replay).toBeCloseTo(
            cohorts.reduce((total, [, replay]) => total + replay, 0),
            5,
          );
        },
      ),
    );
  });
});
