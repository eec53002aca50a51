import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateBook } from '../../src/telemetry/rate-book.ts';
import { meanReplay, replayRate, replayRateOf, unknownReplay } from '../../src/telemetry/replay-rate.ts';

const sumOf = (rates: Iterable<number>) => [...rates].reduce((sum, rate) => sum + rate, 0);
const told = (counts: Record<string, number>) => new Map(Object.entries(counts));

describe('the rates of counters that are told together', () => {
  test('over the last two seconds, for all of them', () => {
    const book = new RateBook(2_000);
    book.observe(told({ a: 500, b: 7 }), 0);
    expect(book.eventsPerSecond(0)).toBeNull();
    for (let quarter = 1; quarter <= 20; quarter++)
      book.observe(told({ a: 500 + quarter * 100, b: quarter <= 12 ? 7 : 107 }), quarter * 250);
    expect(Object.fromEntries(book.eventsPerSecond(5_000) ?? [])).toEqual({ a: 400, b: 50 });
    expect(book.eventsPerSecond(11_000)).toEqual(book.eventsPerSecond(5_000));
    expect(book.eventsPerSecond(11_001), 'nothing was heard for long').toBeNull();
  });

  test('one that is new or fell begins anew, and one that is told no more leaves the window', () => {
    const book = new RateBook(2_000);
    book.observe(told({ a: 1_000 }), 0);
    book.observe(told({ a: 1_100, b: 90_000 }), 1_000);
    book.observe(told({ a: 10, b: 90_300 }), 2_000);
    expect(Object.fromEntries(book.eventsPerSecond(2_000) ?? [])).toEqual({ a: 50, b: 150 });
    for (const at of [3_000, 4_000, 5_000]) book.observe(told({ b: 90_300 }), at);
    expect(Object.fromEntries(book.eventsPerSecond(5_000) ?? [])).toEqual({ b: 0 });
  });

  test('one that is left out of a telling loses nothing', () => {
    const book = new RateBook(2_000);
    for (let quarter = 0; quarter <= 20; quarter++)
      book.observe(told(quarter % 2 === 0 ? { a: quarter * 100, b: 0 } : { b: 0 }), quarter * 250);
    expect(Object.fromEntries(book.eventsPerSecond(5_000) ?? [])).toEqual({ a: 400, b: 0 });
  });

  test('their sum is the rate of what all of them gained, and over the time that is every event, once', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            afterMs: fc.integer({ min: 1, max: 1_500 }),
            gains: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(5_000)),
          }),
          { minLength: 2, maxLength: 40 },
        ),
        (ticks) => {
          const book = new RateBook(2_000);
          const counts = new Map(['a', 'b', 'c', 'd'].map((name) => [name, 100_000]));
          const log: { atMs: number; events: number }[] = [];
          let atMs = 0;
          for (const { afterMs, gains } of ticks) {
            atMs += afterMs;
            for (const [name, gain] of Object.entries(gains))
              counts.set(name, (counts.get(name) ?? 0) + gain);
            book.observe(new Map(counts), atMs);
            log.push({ atMs, events: sumOf(counts.values()) });
            const begin = log.findLast((entry) => entry.atMs <= atMs - 2_000) ?? log[0];
            const rates = book.eventsPerSecond(atMs);
            if (log.length < 2) return void expect(rates).toBeNull();
            const all =
              ((sumOf(counts.values()) - (begin?.events ?? 0)) * 1_000) / (atMs - (begin?.atMs ?? 0));
            expect(sumOf(rates?.values() ?? [])).toBeCloseTo(all, 6);
          }
          return undefined;
        },
      ),
    );
  });
});

const rate = fc.double({ min: 0, max: 1e6, noNaN: true });
const rates = fc.dictionary(fc.constantFrom('bf_1', 'bf_2', 'bf_3', 'bf_4'), rate);

describe('how fast replay runs', () => {
  test('the parts are the whole, to the last digit that is told', () => {
    fc.assert(
      fc.property(rates, fc.subarray(['bf_1', 'bf_5']), (parts, atWork) => {
        const replay = replayRate('applied', told(parts), atWork);
        const sum = sumOf(replay.backfills.map(({ eventsPerSecond }) => eventsPerSecond));
        expect(Math.round(sum * 10) / 10).toBe(replay.eventsPerSecond);
        expect(replay.eventsPerSecond ?? 0).toBeCloseTo(sumOf(Object.values(parts)), 0);
        for (const id of atWork) expect(replay.backfills.map(({ backfillId }) => backfillId)).toContain(id);
      }),
    );
  });

  test('and of a longer step too, where one was at work for a part of it', () => {
    fc.assert(
      fc.property(fc.array(fc.option(rates), { minLength: 1, maxLength: 10 }), (seconds) => {
        const known = seconds.filter((second) => second !== null);
        const mean = meanReplay(
          seconds.map((second) =>
            second === null ? unknownReplay('applied') : replayRate('applied', told(second), []),
          ),
        );
        if (known.length === 0) return void expect(mean).toBeNull();
        const sum = sumOf(mean?.backfills.map(({ eventsPerSecond }) => eventsPerSecond) ?? []);
        expect(Math.round(sum * 10) / 10).toBe(mean?.eventsPerSecond);
        const all = sumOf(known.flatMap((second) => Object.values(second))) / known.length;
        expect(Math.abs((mean?.eventsPerSecond ?? Number.NaN) - all)).toBeLessThan(0.6);
        return undefined;
      }),
    );
  });

  test('one at rest is told while it is at work, and what drains after it while it does', () => {
    const replay = replayRate('applied', told({ bf_1: 0, bf_2: 0, bf_3: 12.34 }), ['bf_1']);
    expect(replay).toEqual({
      of: 'applied',
      eventsPerSecond: 12.3,
      backfills: [
        { backfillId: 'bf_1', eventsPerSecond: 0 },
        { backfillId: 'bf_3', eventsPerSecond: 12.3 },
      ],
    });
    expect(['bf_1', 'bf_2', 'bf_3'].map((id) => replayRateOf(replay, id))).toEqual([0, 0, 12.3]);
  });

  test('where nobody counts it is unknown, not nothing', () => {
    expect(replayRate('published', null, ['bf_1'])).toEqual(unknownReplay('published'));
    expect(replayRateOf(unknownReplay('applied'), 'bf_1')).toBeNull();
    expect(meanReplay([null, undefined])).toBeNull();
    const before = replayRate('applied', told({ bf_1: 900 }), []);
    const now = replayRate('published', told({ bf_1: 10 }), []);
    expect(meanReplay([before, now]), 'its store was another').toEqual(now);
  });
});
