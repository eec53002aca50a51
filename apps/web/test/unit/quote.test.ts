import type { FrontierPoint, GoalAnswer, Quote } from '@spillway/shared/api/quote';
import { quoteOf } from '@spillway/shared/quote/quote';
import { describe, expect, it } from 'vitest';
import { aQuote } from '../../../../packages/shared/test/quote/a-quote.ts';
import {
  durationTicks,
  fractionOfRate,
  rateAtFraction,
  rateAxis,
  rateByKey,
  rateTicks,
  readingAt,
  readingOf,
} from '../../src/features/quote/model/frontier.ts';
import {
  brokenQuote,
  costMissing,
  finishText,
  goalDetail,
  goalText,
  isLoud,
  neverEnds,
  otherWarnings,
  routeLines,
  streamText,
} from '../../src/features/quote/model/quote-words.ts';

const quote: Quote = { id: 'qt_1', ...quoteOf(aQuote()) };
const { frontier } = quote;
const axis = rateAxis(frontier) ?? { lowEventsPerSecond: 1, highEventsPerSecond: 2 };

describe('the axis of rates', () => {
  it('goes from the slowest to the fastest in equal ratios', () => {
    expect(axis.lowEventsPerSecond).toBeCloseTo(600, 0);
    expect(axis.highEventsPerSecond).toBe(60_000);
    expect(fractionOfRate(6_000, axis)).toBeCloseTo(0.5, 6);
    expect(fractionOfRate(1, axis)).toBe(0);
    expect(fractionOfRate(1e9, axis)).toBe(1);
    expect(rateAxis(frontier.slice(0, 1))).toBeNull();
    expect(rateAxis([])).toBeNull();
  });

  it('gives rates that somebody could have typed, inside its ends', () => {
    expect(rateAtFraction(0.5, axis)).toBe(6_000);
    expect(rateAtFraction(-1, axis)).toBe(600);
    expect(rateAtFraction(9, axis)).toBe(60_000);
    for (let step = 0; step <= 100; step += 1) {
      const rate = rateAtFraction(step / 100, axis);
      expect(Number.isInteger(rate)).toBe(true);
      expect(Math.abs(fractionOfRate(rate, axis) - step / 100)).toBeLessThan(0.012);
    }
  });

  it('every arrow moves, and none beyond the ends', () => {
    let rate = 600;
    for (let presses = 0; presses < 400 && rate < 60_000; presses += 1) {
      const next = rateByKey('ArrowRight', rate, axis);
      expect(next).toBeGreaterThan(rate);
      rate = next ?? 0;
    }
    expect(rate).toBe(60_000);
    expect(rateByKey('ArrowRight', 60_000, axis)).toBe(60_000);
    expect(rateByKey('Home', 5_000, axis)).toBe(600);
    expect(rateByKey('End', 5_000, axis)).toBe(60_000);
    expect(rateByKey('PageDown', 6_000, axis)).toBeLessThan(rateByKey('ArrowLeft', 6_000, axis) ?? 0);
    expect(rateByKey('x', 6_000, axis)).toBeNull();
    const narrow = { lowEventsPerSecond: 1, highEventsPerSecond: 4 };
    expect(rateByKey('ArrowRight', 1, narrow)).toBe(2);
  });

  it('has ticks that fit', () => {
    expect(rateTicks(axis, 7)).toEqual([1_000, 2_000, 5_000, 10_000, 20_000, 50_000]);
    expect(rateTicks(axis, 4)).toEqual([1_000, 3_000, 10_000, 30_000]);
    expect(rateTicks({ lowEventsPerSecond: 11, highEventsPerSecond: 12 }, 4)).toEqual([]);
    expect(durationTicks(30, 90_000, 3).length).toBeLessThanOrEqual(3);
    expect(durationTicks(2, 3, 3)).toEqual([]);
  });
});

describe('what a rate comes to', () => {
  it('is the frontier’s own at its points, and between them in between', () => {
    for (const point of frontier)
      expect(readingAt(frontier, point.eventsPerSecond)?.durationSeconds).toBeCloseTo(
        point.durationSeconds,
        6,
      );
    const [a, b] = [frontier[3], frontier[4]] as [FrontierPoint, FrontierPoint];
    const between = readingAt(frontier, Math.sqrt(a.eventsPerSecond * b.eventsPerSecond));
    expect(between?.durationSeconds).toBeLessThan(a.durationSeconds);
    expect(between?.durationSeconds).toBeGreaterThan(b.durationSeconds);
    expect(readingAt(frontier, 1)).toEqual(readingOf(frontier[0] as FrontierPoint));
    expect(readingAt(frontier, 1e9)).toEqual(readingOf(frontier.at(-1) as FrontierPoint));
    expect(readingAt([], 5)).toBeNull();
  });
});

describe('a quote in words', () => {
  it('a goal that is met, and one that is impossible with the nearest', () => {
    const goal = (withinSeconds: number) =>
      quoteOf(aQuote({ goal: { kind: 'finish_by', withinSeconds } })).goal as NonNullable<Quote['goal']>;
    expect(goalText(goal(7_200))).toMatch(
      /^Met at [\d,]+ events\/s, finished 1 Jan 2026 \d\d:\d\d UTC, for [\d.]+ USD of spend\.$/,
    );
    expect(goalText(goal(1))).toMatch(/^Impossible\. The nearest: [\d,]+ events\/s/);
    expect(goalDetail(goal(1))).toMatch(/^At [\d,]+ events\/s, the fastest there is/);
  });

  it('one that never ends says so where its cost and its end would stand, and still has its frontier', () => {
    const at = (eventsPerSecond: number): Quote => ({
      id: 'qt_1',
      ...quoteOf(aQuote({ limits: { ...aQuote().limits, eventsPerSecond } })),
    });
    expect(neverEnds(at(0))).toBe(true);
    expect(costMissing(at(0))).toBe('it never ends');
    expect(
      otherWarnings(at(0))
        .filter(isLoud)
        .map(({ code }) => code),
    ).toEqual(['never_ends']);
    expect(rateAxis(at(0).frontier)).not.toBeNull();
    expect(neverEnds(at(5_000))).toBe(false);
  });

  it('a cost is missing for want of a price book only where there is a time', () => {
    const free: Quote = { id: 'qt_1', ...quoteOf(aQuote({ priceBook: null })) };
    expect(costMissing(free)).toBe('there is no price book');
    const capacity = { capacityEventsPerSecond: null, model: null, ceilingEventsPerSecond: null };
    expect(costMissing({ id: 'qt_1', ...quoteOf(aQuote(capacity)) })).toBe('');
  });

  it('a goal whose nearest never ends has no moment', () => {
    const goal = quoteOf(aQuote({ goal: { kind: 'finish_by', withinSeconds: 1 } })).goal as GoalAnswer;
    expect(goalText({ ...goal, finishAt: '9999-12-31T00:00:00.000Z', cost: null })).toMatch(
      /^Impossible\. The nearest: [\d,]+ events\/s, which never ends\.$/,
    );
  });

  it('what hurts stands first, and what has a place of its own is not told twice', () => {
    const loud = {
      ...quote,
      warnings: [
        { code: 'few_runs', detail: 'a' },
        { code: 'overlaps', detail: 'b' },
        { code: 'rate_above_safe', detail: 'c' },
      ],
    } as Quote;
    expect(otherWarnings(loud).map(({ detail }) => detail)).toEqual(['c', 'a']);
  });

  it('the end as a moment, and unknown where no calendar reaches', () => {
    expect(finishText(3_600, Date.UTC(2026, 0, 1, 5))).toBe('1 Jan 2026 06:00 UTC');
    expect(finishText(Number.POSITIVE_INFINITY, 0)).toBe('unknown');
  });

  it('both routes side by side; what is not known of one says so', () => {
    const lines = routeLines({ ...quote.route, shared: null });
    expect(lines.map(({ shared }) => shared)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    expect(lines[0]?.separate).toMatch(/min|s/);
    const never = {
      durationSeconds: null,
      liveFreshnessMs: null,
      peakStreamLength: 5,
      peakStreamBytes: 9,
      reachesHighWaterMark: true,
    };
    expect(routeLines({ separate: never, shared: null }).map(({ separate }) => separate)).toEqual([
      'never ends',
      'falls ever further behind',
      '5 entries, 9 B',
      'reached: the reader waits',
    ]);
  });

  it('room on the stream, and how to trim it', () => {
    const trim = { everyMs: 2_000, keepEntries: 1_234, keepBytes: 2_097_152, keepMs: 350 };
    const detail = 'Retention does not limit the stream.';
    expect(streamText({ fits: true, retentionPart: null, detail, trim })).toBe(
      "Retention does not limit the stream. Trim what is applied every 2 s; a retention of the broker's own keeps at least 1,234 entries, 2 MiB, 350 ms.",
    );
  });

  it('what has drifted, item by item', () => {
    const drifted = {
      code: 'quote_drifted',
      detail: 'it has',
      errors: [{ pointer: '/route', detail: 'Route: a, b' }],
    };
    expect(brokenQuote(drifted)).toEqual({
      title: 'what the quote rested on has changed',
      reasons: ['Route: a, b'],
    });
    expect(brokenQuote({ ...drifted, errors: [] })?.reasons).toEqual(['it has']);
    expect(brokenQuote({ ...drifted, code: 'forbidden' })).toBeNull();
    expect(brokenQuote(null)).toBeNull();
  });

  it.each([
    ['quote_expired', ['said']],
    ['unknown_quote', ['said']],
    ['quote_mismatch', ['where']],
    ['invalid_goal', null],
  ])('a start refused with %s asks for another quote, or for another request', (code, reasons) => {
    const errors = [{ pointer: '/quoteId', detail: 'where' }];
    expect(brokenQuote({ code, detail: 'said', errors })?.reasons ?? null).toEqual(reasons);
  });
});
