import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fillsFor,
  staggerOf,
  type UnstartedFill,
  type WaitingGap,
} from '../../src/backfill/coalesce-gaps.ts';

const STEP_MS = 60_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const sourceId = fc.constantFrom('west', 'east', 'central');
/** Some near each other, some months away. */
const begin = fc.oneof(fc.integer({ min: 0, max: 6 * HOUR_MS }), fc.integer({ min: 0, max: 200 * DAY_MS }));
const lengthMs = fc.oneof(fc.nat(2 * MINUTE_MS), fc.nat(3 * HOUR_MS), fc.constantFrom(0, 30 * DAY_MS));
const gaps: fc.Arbitrary<WaitingGap[]> = fc
  .array(fc.record({ sourceId, from: begin, lengthMs }), { maxLength: 12 })
  .map((given) =>
    given.map(({ sourceId: id, from, lengthMs: length }, index) => ({
      gapId: `g${index}`,
      sourceId: id,
      from,
      to: from + length,
    })),
  );
const unstarted: fc.Arbitrary<UnstartedFill[]> = fc
  .array(fc.record({ sourceId, from: begin, lengthMs: lengthMs.map((length) => length + 1) }), {
    maxLength: 4,
  })
  .map((given) =>
    given.map(({ sourceId: id, from, lengthMs: length }, index) => {
      const window = { from, to: from + length };
      return { backfillId: `bf-${index}`, sourceId: id, ...window, gaps: [window] };
    }),
  );

/** As the queue is afterwards. */
function queuedAfter(
  fills: ReturnType<typeof fillsFor>,
  waiting: readonly WaitingGap[],
  before: readonly UnstartedFill[],
): UnstartedFill[] {
  const changed = fills.map(
    (fill, index): UnstartedFill => ({
      backfillId: fill.backfillId ?? `bf-new-${before.length}-${index}`,
      sourceId: fill.sourceId,
      ...fill.window,
      gaps: [
        ...(before.find(({ backfillId }) => backfillId === fill.backfillId)?.gaps ?? []),
        ...waiting.filter(({ gapId }) => fill.gapIds.includes(gapId)),
      ],
    }),
  );
  const ids = new Set(changed.map(({ backfillId }) => backfillId));
  return [...before.filter(({ backfillId }) => !ids.has(backfillId)), ...changed];
}

/** Minute by minute would do as well: what is missing, counted once. */
function missingMs(spans: UnstartedFill['gaps']): number {
  const edges = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  return edges
    .slice(1)
    .map((to, index) => ({ from: edges[index] as number, to }))
    .filter((piece) => spans.some(({ from, to }) => from <= piece.from && piece.to <= to))
    .reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Nobody replays more than twice what is missing and an hour, but for whole steps. */
function expectWorth(queue: readonly UnstartedFill[]): void {
  for (const { from, to, gaps: own } of queue)
    expect(to - from).toBeLessThanOrEqual(2 * missingMs(own) + HOUR_MS + 2 * STEP_MS);
}

describe('gaps become backfills', () => {
  test('every gap that has an extent is in exactly one, of its source, that covers it and what was queued', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        const fills = fillsFor(waiting, queued, STEP_MS);
        const filled = fills.flatMap(({ gapIds }) => gapIds);
        expect(filled.toSorted()).toEqual(
          waiting
            .filter(({ from, to }) => from < to)
            .map(({ gapId }) => gapId)
            .toSorted(),
        );
        const extended = fills.flatMap(({ backfillId }) => backfillId ?? []);
        expect(new Set(extended).size).toBe(extended.length);
        for (const { window, gapIds, backfillId, ...fill } of fills) {
          expect(gapIds).not.toEqual([]);
          for (const gap of waiting.filter(({ gapId }) => gapIds.includes(gapId))) {
            expect(gap.sourceId).toBe(fill.sourceId);
            expect(window.from <= gap.from && gap.to <= window.to).toBe(true);
          }
          const own = queued.find((one) => one.backfillId === backfillId);
          expect(own?.sourceId ?? fill.sourceId).toBe(fill.sourceId);
          if (own !== undefined) expect(window.from <= own.from && own.to <= window.to).toBe(true);
        }
      }),
    );
  });

  test('windows are whole steps, and no wider than what they cover', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        for (const { window, gapIds, backfillId } of fillsFor(waiting, queued, STEP_MS)) {
          expect([window.from % STEP_MS, window.to % STEP_MS]).toEqual([0, 0]);
          const spans = [
            ...waiting.filter(({ gapId }) => gapIds.includes(gapId)),
            ...queued.filter((one) => one.backfillId === backfillId),
          ];
          expect(Math.min(...spans.map(({ from }) => from)) - window.from).toBeLessThan(STEP_MS);
          expect(window.to - Math.max(...spans.map(({ to }) => to))).toBeLessThan(STEP_MS);
        }
      }),
    );
  });

  test('none replays more than twice what is missing and an hour, whether they come together or one by one', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        expectWorth(queuedAfter(fillsFor(waiting, queued, STEP_MS), waiting, queued));
        let queue = queued;
        for (const gap of waiting) queue = queuedAfter(fillsFor([gap], queue, STEP_MS), [gap], queue);
        expectWorth(queue);
      }),
    );
  });

  test('the order they are read in changes nothing', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        const windows = (fills: ReturnType<typeof fillsFor>) =>
          fills.map(({ sourceId: id, window }) => `${id} ${window.from} ${window.to}`).toSorted();
        expect(windows(fillsFor(waiting.toReversed(), queued, STEP_MS))).toEqual(
          windows(fillsFor(waiting, queued, STEP_MS)),
        );
      }),
    );
  });

  const gap = (gapId: string, from: number, to: number): WaitingGap => ({
    gapId,
    sourceId: 'west',
    from,
    to,
  });
  const minutes = (...spans: readonly (readonly [number, number])[]) =>
    fillsFor(
      spans.map(([from, to], index) => gap(`g${index}`, from * MINUTE_MS, to * MINUTE_MS)),
      [],
      STEP_MS,
    ).map(({ window }) => [window.from / MINUTE_MS, window.to / MINUTE_MS]);

  test.each([
    [
      'a feed that flaps for an hour makes one',
      [
        [0, 1],
        [20, 21],
        [40, 41],
        [60, 61],
      ],
      [[0, 61]],
    ],
    [
      'two of an hour, two hours apart, make one',
      [
        [0, 60],
        [180, 240],
      ],
      [[0, 240]],
    ],
    [
      'two of an hour, four hours apart, make two',
      [
        [0, 60],
        [300, 360],
      ],
      [
        [0, 60],
        [300, 360],
      ],
    ],
    [
      'two of a minute, half a year apart, make two',
      [
        [0, 1],
        [259_200, 259_201],
      ],
      [
        [0, 1],
        [259_200, 259_201],
      ],
    ],
    [
      'what is missing twice counts once',
      [
        [0, 60],
        [0, 60],
        [0, 60],
        [300, 301],
      ],
      [
        [0, 60],
        [300, 301],
      ],
    ],
  ] as const)('%s', (_what, spans, windows) => {
    expect(minutes(...spans)).toEqual(windows);
  });

  test('one that lies in a queued window needs no other, however little is missing in that', () => {
    const wide = { backfillId: 'bf', sourceId: 'west', from: 0, to: DAY_MS, gaps: [{ from: 0, to: 1 }] };
    expect(fillsFor([gap('g', HOUR_MS, 2 * HOUR_MS)], [wide], STEP_MS)).toMatchObject([
      { backfillId: 'bf', window: { from: 0, to: DAY_MS } },
    ]);
  });

  test('of two that might take it in, the nearer does', () => {
    const fill = (backfillId: string, from: number) => {
      const window = { from, to: from + HOUR_MS };
      return { backfillId, sourceId: 'west', ...window, gaps: [window] };
    };
    const queued = [fill('far', 0), fill('near', 3.5 * HOUR_MS)];
    expect(fillsFor([gap('g', 2.5 * HOUR_MS, 3 * HOUR_MS)], queued, STEP_MS)).toMatchObject([
      { backfillId: 'near', window: { from: 2.5 * HOUR_MS, to: 4.5 * HOUR_MS } },
    ]);
  });
});

test('the stagger is a part of what is allowed, never all of it', () => {
  expect(staggerOf(5_000, () => 0)).toBe(0);
  expect(staggerOf(5_000, () => 0.999999)).toBe(4_999);
  expect(staggerOf(0, () => 0.5)).toBe(0);
});
