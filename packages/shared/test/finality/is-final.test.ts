import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Coverage, covers, isFinal, type Span } from '../../src/finality/is-final.ts';

const span = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }))
  .map(([from, length]): Span => ({ from, to: from + length }));
const coverage: fc.Arbitrary<Coverage> = fc.record({
  watermark: fc.option(fc.integer({ min: 0, max: 80 })),
  allowedLatenessMs: fc.integer({ min: 0, max: 5 }),
  liveFrom: fc.option(fc.integer({ min: 0, max: 60 })),
  gaps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: span },
      { weight: 1, arbitrary: span.map(({ from }) => ({ from, to: Number.POSITIVE_INFINITY })) },
    ),
    { maxLength: 3 },
  ),
  completed: fc.array(span, { maxLength: 5 }),
  unfinished: fc.array(span, { maxLength: 2 }),
});
const runs = { numRuns: 2_000 };

/** By the definition, moment by moment. */
function finalByDefinition(bucket: Span, known: Coverage): boolean {
  const { watermark, liveFrom } = known;
  if (watermark === null || watermark < bucket.to + known.allowedLatenessMs) return false;
  for (let at = bucket.from; at < bucket.to; at++) {
    const within = (one: Span) => one.from <= at && at < one.to;
    if (known.unfinished.some(within)) return false;
    const live = liveFrom !== null && within({ from: liveFrom, to: watermark }) && !known.gaps.some(within);
    if (!live && !known.completed.some(within)) return false;
  }
  return true;
}

describe('finality', () => {
  test('is what the definition says, moment by moment', () => {
    fc.assert(
      fc.property(
        span,
        coverage,
        (bucket, known) => void expect(isFinal(bucket, known)).toBe(finalByDefinition(bucket, known)),
      ),
      runs,
    );
  });

  test('does not depend on the order in which things were recorded', () => {
    fc.assert(
      fc.property(span, coverage, (bucket, known) => {
        const turned = {
          ...known,
          gaps: known.gaps.toReversed(),
          completed: known.completed.toReversed(),
          unfinished: known.unfinished.toReversed(),
        };
        expect(isFinal(bucket, turned)).toBe(isFinal(bucket, known));
      }),
      runs,
    );
  });

  test('is not lost by completing more, by finishing what was unfinished, or by live moving on', () => {
    const final = fc.tuple(span, coverage).filter(([bucket, known]) => isFinal(bucket, known));
    fc.assert(
      fc.property(final, span, fc.nat(20), ([bucket, known], more, passedMs) => {
        expect(isFinal(bucket, { ...known, completed: [...known.completed, more] })).toBe(true);
        expect(
          isFinal(bucket, { ...known, completed: [...known.completed, ...known.unfinished], unfinished: [] }),
        ).toBe(true);
        expect(isFinal(bucket, { ...known, watermark: (known.watermark ?? 0) + passedMs })).toBe(true);
      }),
      runs,
    );
  });

  test('is lost to an unfinished backfill over the bucket, and to no other', () => {
    const final = fc.tuple(span, coverage).filter(([bucket, known]) => isFinal(bucket, known));
    fc.assert(
      fc.property(final, span, ([bucket, known], begun) => {
        const overlaps = begun.from < bucket.to && bucket.from < begun.to;
        expect(isFinal(bucket, { ...known, unfinished: [...known.unfinished, begun] })).toBe(!overlaps);
      }),
      runs,
    );
  });

  test('is lost to a gap over the bucket until a backfill over the gap has completed', () => {
    fc.assert(
      fc.property(span, span, (bucket, gap) => {
        const live: Coverage = {
          watermark: 100,
          allowedLatenessMs: 0,
          liveFrom: 0,
          gaps: [],
          completed: [],
          unfinished: [],
        };
        const touched = gap.from < bucket.to && bucket.from < gap.to;
        expect(isFinal(bucket, { ...live, gaps: [gap] })).toBe(!touched);
        expect(isFinal(bucket, { ...live, gaps: [{ ...gap, to: Number.POSITIVE_INFINITY }] })).toBe(
          bucket.to <= gap.from,
        );
        expect(isFinal(bucket, { ...live, gaps: [gap], unfinished: [gap] })).toBe(!touched);
        expect(isFinal(bucket, { ...live, gaps: [gap], completed: [gap] })).toBe(true);
      }),
      runs,
    );
  });

  test('waits for the allowed lateness', () => {
    const known: Coverage = {
      watermark: 109,
      allowedLatenessMs: 10,
      liveFrom: 0,
      gaps: [],
      completed: [],
      unfinished: [],
    };
    expect(isFinal({ from: 0, to: 100 }, known)).toBe(false);
    expect(isFinal({ from: 0, to: 100 }, { ...known, watermark: 110 })).toBe(true);
  });
});

test('spans that touch cover together; a moment between them does not', () => {
  expect(
    covers(
      [
        { from: 5, to: 10 },
        { from: 0, to: 5 },
      ],
      { from: 0, to: 10 },
    ),
  ).toBe(true);
  expect(
    covers(
      [
        { from: 6, to: 10 },
        { from: 0, to: 5 },
      ],
      { from: 0, to: 10 },
    ),
  ).toBe(false);
  expect(covers([], { from: 0, to: 1 })).toBe(false);
});
