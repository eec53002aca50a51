import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SUBWINDOWS_PER_RUN, runEnd } from '../../src/backfill/run-sizing.ts';

const leases = 1;
const lane = { laneFrom: 0, laneTo: 1_000_000, subwindowMs: 10, subwindows: 100_000 };
const perSubwindow =
  (events: number) =>
  ({ from, to }: { from: number; to: number }) =>
    Math.round(((to - from) / 10) * events);

describe('how many subwindows a lease covers', () => {
  test('two seconds of work at its rate', () => {
    expect(
      runEnd({ lane, fromIndex: 40, eventsPerSecond: 500, leases, expectedEvents: perSubwindow(10) }),
    ).toBe(140);
  });
  test('at least one, however slow the lease', () => {
    expect(
      runEnd({ lane, fromIndex: 40, eventsPerSecond: 3, leases, expectedEvents: perSubwindow(10) }),
    ).toBe(41);
  });
  test('one part of what is left, with one for each lease, however fast it may go', () => {
    const sizes = (asked: number, of = lane) => {
      const ends = [0];
      while ((ends.at(-1) ?? 0) < of.subwindows)
        ends.push(
          runEnd({
            lane: of,
            fromIndex: ends.at(-1) ?? 0,
            eventsPerSecond: 25_000,
            leases: asked,
            expectedEvents: perSubwindow(1),
          }),
        );
      return ends.slice(1).map((end, index) => end - (ends[index] ?? 0));
    };
    // 100,000 events: two runs of two seconds for one lease; eight have twelve thousand each, and less towards the end.
    expect(sizes(1)).toEqual([50_000, 50_000]);
    const shared = sizes(8);
    expect(shared.slice(0, 2)).toEqual([12_500, 10_937]);
    expect(shared).toEqual(shared.toSorted((a, b) => b - a));
    expect(shared.at(-2)).toBe(5_000);
    expect(shared.length).toBeLessThan(20);
    expect(sizes(8, { ...lane, subwindows: 3_000, laneTo: 30_000 }), 'little is not cut').toEqual([3_000]);
  });
  test('never past the lane', () => {
    expect(
      runEnd({ lane, fromIndex: 99_990, eventsPerSecond: 500, leases, expectedEvents: perSubwindow(1) }),
    ).toBe(100_000);
  });
  test('empty stretches by the thousand', () => {
    expect(runEnd({ lane, fromIndex: 0, eventsPerSecond: 1, leases, expectedEvents: () => 0 })).toBe(
      MAX_SUBWINDOWS_PER_RUN,
    );
  });
  test('an uncounted lane in a thousand runs', () => {
    expect(runEnd({ lane, fromIndex: 0, eventsPerSecond: 1, leases, expectedEvents: () => null })).toBe(100);
    expect(
      runEnd({
        lane: { ...lane, subwindows: 5 },
        fromIndex: 2,
        eventsPerSecond: 1,
        leases,
        expectedEvents: () => null,
      }),
    ).toBe(3);
  });
  test('six months of ten-second subwindows with events in the day only: few leases at night', () => {
    const day = { laneFrom: 0, laneTo: 181 * 86_400_000, subwindowMs: 10_000, subwindows: 1_563_840 };
    const daylight = (at: number) =>
      Math.floor(at / 86_400_000) * 43_200_000 + Math.min(43_200_000, at % 86_400_000);
    const expectedEvents = ({ from, to }: { from: number; to: number }) =>
      Math.round(((daylight(to) - daylight(from)) / 1_000) * 0.1);
    let leases = 0;
    for (let index = 0; index < day.subwindows; leases++)
      index = runEnd({ lane: day, fromIndex: index, eventsPerSecond: 5_000, leases, expectedEvents });
    expect(leases).toBeLessThan(200);
  });

  test('the largest run within the budget', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 200 }),
        (events, eventsPerSecond) => {
          const small = {
            laneFrom: 0,
            laneTo: events.length * 10,
            subwindowMs: 10,
            subwindows: events.length,
          };
          const expectedEvents = ({ from, to }: { from: number; to: number }) =>
            events.slice(from / 10, to / 10).reduce((sum, count) => sum + count, 0);
          let index = 0;
          while (index < events.length) {
            const end = runEnd({ lane: small, fromIndex: index, eventsPerSecond, leases, expectedEvents });
            expect(end).toBeGreaterThan(index);
            if (end > index + 1)
              expect(expectedEvents({ from: index * 10, to: end * 10 })).toBeLessThanOrEqual(
                2 * eventsPerSecond,
              );
            if (end < events.length)
              expect(expectedEvents({ from: index * 10, to: (end + 1) * 10 })).toBeGreaterThan(
                2 * eventsPerSecond,
              );
            index = end;
          }
          expect(index).toBe(events.length);
        },
      ),
    );
  });
});
