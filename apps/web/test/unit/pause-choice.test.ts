import type { Backfill } from '@spillway/shared/api/backfill';
import { describe, expect, it } from 'vitest';
import { pauseChoice } from '../../src/features/now/model/pause-choice.ts';

/** The fastest first, as the verdict gives them. */
function suspects(rates: Readonly<Record<string, number>>): Backfill[] {
  return Object.entries(rates)
    .sort(([, a], [, b]) => b - a)
    .map(
      ([id, publishedEventsPerSecond]) =>
        ({
          id,
          state: 'running',
          progress: { publishedEventsPerSecond },
          allowedActions: ['pause'],
        }) as never,
    );
}
/** All of them publish. */
const choose = (backfills: readonly Backfill[], before: readonly string[]) =>
  pauseChoice(backfills, backfills, before);
const ids = (backfills: readonly Backfill[]) => backfills.map(({ id }) => id);

describe('the backfills that have a button to pause them', () => {
  it('are the two fastest, in the order of their ids', () => {
    expect(ids(choose(suspects({ bf_1: 900, bf_2: 10, bf_3: 1_000 }), []))).toEqual(['bf_1', 'bf_3']);
  });

  it('do not change places, nor others come in, while rates differ by little', () => {
    let before: readonly string[] = [];
    for (const rates of [
      { bf_1: 1_000, bf_2: 990, bf_3: 980 },
      { bf_1: 980, bf_2: 1_000, bf_3: 990 },
      { bf_1: 970, bf_2: 980, bf_3: 1_000 },
    ]) {
      before = ids(choose(suspects(rates), before));
      expect(before).toEqual(['bf_1', 'bf_2']);
    }
  });

  it('change when another is clearly faster, or one replays no longer', () => {
    expect(ids(choose(suspects({ bf_1: 1_000, bf_2: 500, bf_3: 900 }), ['bf_1', 'bf_2']))).toEqual([
      'bf_1',
      'bf_3',
    ]);
    expect(ids(choose(suspects({ bf_1: 1_000, bf_3: 10 }), ['bf_1', 'bf_2']))).toEqual(['bf_1', 'bf_3']);
  });

  it('stay through a second in which nothing is published, and are not chosen for the first time in one', () => {
    const still = suspects({ bf_1: 0, bf_2: 0, bf_3: 0 });
    expect(ids(pauseChoice(still, [], ['bf_1', 'bf_2']))).toEqual(['bf_1', 'bf_2']);
    expect(pauseChoice(still, [], [])).toEqual([]);
  });

  it('are none that may not be paused', () => {
    const [fast, slow] = suspects({ bf_1: 1_000, bf_2: 10 });
    expect(ids(choose([{ ...(fast as Backfill), allowedActions: [] }, slow as Backfill], []))).toEqual([
      'bf_2',
    ]);
  });
});
