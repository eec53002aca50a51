import { describe, expect, test } from 'vitest';
import { type BackfillWork, handOut } from '../../src/backfill/hand-out.ts';

const lane = (sourceId: string, nextIndex = 0) => ({
  sourceId,
  laneFrom: 0,
  laneTo: 1_000,
  subwindowMs: 10,
  subwindows: 100,
  nextIndex,
});
const work = (over: Partial<BackfillWork> = {}): BackfillWork => ({
  backfillId: 'a',
  priority: 0,
  ordinal: 1,
  concurrency: 4,
  lastServedMs: Number.NEGATIVE_INFINITY,
  isolated: false,
  leased: 0,
  eventsPerSecondPerLease: 5,
  lanes: [lane('east'), lane('west')],
  pending: [],
  ...over,
});
const oneEach = (_source: string, { from, to }: { from: number; to: number }) => (to - from) / 10;
const brief = (handed: ReturnType<typeof handOut>) =>
  handed.map((out) =>
    out.type === 'pending' ? out.runId : `${out.backfillId} ${out.sourceId} ${out.fromIndex}-${out.toIndex}`,
  );

describe('which runs a claim gets', () => {
  test('the lanes walk the window together', () => {
    expect(brief(handOut([work()], 8, oneEach))).toEqual([
      'a east 0-10',
      'a west 0-10',
      'a east 10-20',
      'a west 10-20',
    ]);
  });
  test('a lane that is behind catches up first', () => {
    expect(brief(handOut([work({ lanes: [lane('east', 30), lane('west', 5)] })], 2, oneEach))).toEqual([
      'a west 5-15',
      'a west 15-25',
    ]);
  });
  test('what was given back comes before anything new, the earliest first', () => {
    const pending = [
      { id: 'late', sourceId: 'east', fromIndex: 7 },
      { id: 'early', sourceId: 'west', fromIndex: 2 },
      { id: 'no slot', sourceId: 'north', fromIndex: 0 },
    ];
    expect(
      brief(handOut([work({ pending, lanes: [lane('east', 10), lane('west', 10)] })], 3, oneEach)),
    ).toEqual(['early', 'late', 'a east 10-20']);
  });
  test('each backfill has one before another has its second, whatever its priority', () => {
    const works = [
      work({ backfillId: 'a', priority: 5, leased: 3, concurrency: 16 }),
      work({ backfillId: 'b', ordinal: 2 }),
    ];
    expect(handOut(works, 3, oneEach).map(({ backfillId }) => backfillId)).toEqual(['b', 'a', 'a']);
  });
  test('of those that have none, the one that was served longest ago', () => {
    const works = [
      work({ backfillId: 'a', lastServedMs: 5 }),
      work({ backfillId: 'b', ordinal: 2, lastServedMs: 4 }),
    ];
    expect(handOut(works, 1, oneEach)[0]?.backfillId).toBe('b');
  });
  test('concurrency is a bound', () => {
    expect(handOut([work({ leased: 3 })], 8, oneEach)).toHaveLength(1);
    expect(handOut([work({ leased: 4 })], 8, oneEach)).toEqual([]);
  });
  test('what asks for isolation goes to isolated workers alone, and there it comes first', () => {
    const works = [
      work({ backfillId: 'open', priority: 9, concurrency: 2 }),
      work({ backfillId: 'shy', isolated: true, concurrency: 2, ordinal: 2 }),
    ];
    const handed = (worker?: { isolated: boolean }) =>
      handOut(works, 3, oneEach, worker).map((out) => out.backfillId);
    expect(handed()).toEqual(['open', 'open']);
    expect(handed({ isolated: false })).toEqual(['open', 'open']);
    expect(handed({ isolated: true })).toEqual(['shy', 'shy', 'open']);
  });
  test('then the higher priority, the least loaded, the older', () => {
    const two = (over: Partial<BackfillWork>) => work({ concurrency: 2, ...over });
    const handed = (works: BackfillWork[]) => handOut(works, 3, oneEach).map((out) => out.backfillId);
    expect(handed([two({}), two({ backfillId: 'b', ordinal: 2, priority: 1 })])).toEqual(['b', 'a', 'b']);
    expect(handed([two({ leased: 1 }), two({ backfillId: 'b', ordinal: 2 })])).toEqual(['b', 'a', 'b']);
  });
});
