import { describe, expect, test } from 'vitest';
import type { Effective } from '../../src/api/backfill.ts';
import { dividePipeline } from '../../src/governor/divide-pipeline.ts';

const shareOf = (eventsPerSecond: number): Effective => ({
  eventsPerSecond,
  binding: 'share',
  ceilings: [{ reason: 'share', eventsPerSecond, detail: 'its share' }],
});
const explicit = (eventsPerSecond: number): Effective => ({
  eventsPerSecond,
  binding: 'operator',
  ceilings: [],
});
const rates = (divided: ReadonlyMap<string, Effective>) =>
  Object.fromEntries([...divided].map(([id, { eventsPerSecond }]) => [id, eventsPerSecond]));

describe('a pipeline’s rate among its backfills', () => {
  test('two on the same share get that share together', () => {
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision: shareOf(2_000), share: 0.2 },
      { backfillId: 'b', priority: 0, decision: shareOf(2_000), share: 0.2 },
    ]);
    expect(rates(divided)).toEqual({ a: 1_000, b: 1_000 });
    expect(divided.get('a')?.ceilings[0]).toMatchObject({
      reason: 'share',
      eventsPerSecond: 1_000,
      detail: 'its share, divided among 2 backfills',
    });
  });

  test('explicit rates come on top, all together within the capacity', () => {
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision: shareOf(5_000), share: 0.5 },
      { backfillId: 'b', priority: 1, decision: explicit(8_000), share: null },
    ]);
    expect(rates(divided)).toEqual({ a: 2_000, b: 8_000 });
  });

  test('an explicit rate above what there is is held to the capacity, and says so', () => {
    const decision = { ...explicit(50_000), ceilings: shareOf(0).ceilings };
    const divided = dividePipeline(10_000, [{ backfillId: 'a', priority: 0, decision, share: null }]);
    expect(divided.get('a')).toMatchObject({
      eventsPerSecond: 10_000,
      ceilings: [{ detail: 'its share, held to the capacity' }],
    });
  });

  test('what one does not use, the other has', () => {
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision: shareOf(100), share: 0.5 },
      { backfillId: 'b', priority: 0, decision: shareOf(5_000), share: 0.5 },
    ]);
    expect(rates(divided)).toEqual({ a: 100, b: 4_900 });
  });

  test('an unknown capacity leaves explicit rates alone', () => {
    expect(
      rates(dividePipeline(null, [{ backfillId: 'a', priority: 0, decision: explicit(500), share: null }])),
    ).toEqual({ a: 500 });
  });
});
