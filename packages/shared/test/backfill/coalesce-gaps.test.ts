import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fillsFor,
  staggerOf,
  type UnstartedFill,
  type WaitingGap,
} from '../../src/backfill/coalesce-gaps.ts';

const STEP_MS = 60;
const sourceId = fc.constantFrom('west', 'east', 'central');
const gaps: fc.Arbitrary<WaitingGap[]> = fc
  .array(fc.record({ sourceId, from: fc.integer({ min: 0, max: 5_000 }), lengthMs: fc.nat(500) }), {
    maxLength: 12,
  })
  .map((given) =>
    given.map(({ sourceId: id, from, lengthMs }, index) => ({
      gapId: `g${index}`,
      sourceId: id,
      from,
      to: from + lengthMs,
    })),
  );
const unstarted: fc.Arbitrary<UnstartedFill[]> = fc
  .uniqueArray(
    fc.record({
      sourceId,
      from: fc.integer({ min: 0, max: 5_000 }),
      lengthMs: fc.integer({ min: 1, max: 500 }),
    }),
    {
      selector: (fill) => fill.sourceId,
    },
  )
  .map((given) =>
    given.map(({ sourceId: id, from, lengthMs }) => ({
      backfillId: `bf-${id}`,
      sourceId: id,
      from,
      to: from + lengthMs,
    })),
  );

describe('gaps become backfills', () => {
  test('one a source, which covers every gap of it that has an extent, and what was queued', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        const fills = fillsFor(waiting, queued, STEP_MS);
        expect(new Set(fills.map((fill) => fill.sourceId)).size).toBe(fills.length);
        const filled = fills.flatMap(({ gapIds }) => gapIds);
        expect(filled.toSorted()).toEqual(
          waiting
            .filter(({ from, to }) => from < to)
            .map(({ gapId }) => gapId)
            .toSorted(),
        );
        for (const { window, gapIds, backfillId, ...fill } of fills) {
          for (const gap of waiting.filter(({ gapId }) => gapIds.includes(gapId))) {
            expect(gap.sourceId).toBe(fill.sourceId);
            expect(window.from <= gap.from && gap.to <= window.to).toBe(true);
          }
          const own = queued.find((one) => one.sourceId === fill.sourceId);
          expect(backfillId).toBe(own?.backfillId ?? null);
          if (own !== undefined) expect(window.from <= own.from && own.to <= window.to).toBe(true);
        }
      }),
    );
  });

  test('windows are whole steps, and no wider than what they cover', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        for (const { window, gapIds, sourceId: id } of fillsFor(waiting, queued, STEP_MS)) {
          expect([window.from % STEP_MS, window.to % STEP_MS]).toEqual([0, 0]);
          const spans = [
            ...waiting.filter(({ gapId }) => gapIds.includes(gapId)),
            ...queued.filter((one) => one.sourceId === id),
          ];
          expect(Math.min(...spans.map(({ from }) => from)) - window.from).toBeLessThan(STEP_MS);
          expect(window.to - Math.max(...spans.map(({ to }) => to))).toBeLessThan(STEP_MS);
        }
      }),
    );
  });

  test('neither the order nor the number of times they are looked at changes where it ends', () => {
    fc.assert(
      fc.property(gaps, unstarted, (waiting, queued) => {
        const windows = (fills: ReturnType<typeof fillsFor>) =>
          Object.fromEntries(fills.map((fill) => [fill.sourceId, fill.window]));
        const atOnce = windows(fillsFor(waiting, queued, STEP_MS));
        expect(windows(fillsFor(waiting.toReversed(), queued, STEP_MS))).toEqual(atOnce);
        // One after the other, each extending what the last one queued.
        let fills: UnstartedFill[] = queued;
        for (const gap of waiting)
          for (const fill of fillsFor([gap], fills, STEP_MS))
            fills = [
              ...fills.filter((one) => one.sourceId !== fill.sourceId),
              { backfillId: fill.backfillId ?? 'bf-new', sourceId: fill.sourceId, ...fill.window },
            ];
        for (const [id, window] of Object.entries(atOnce))
          expect(fills.find((one) => one.sourceId === id)).toMatchObject(window);
      }),
    );
  });
});

test('the stagger is a part of what is allowed, never all of it', () => {
  expect(staggerOf(5_000, () => 0)).toBe(0);
  expect(staggerOf(5_000, () => 0.999999)).toBe(4_999);
  expect(staggerOf(0, () => 0.5)).toBe(0);
});
