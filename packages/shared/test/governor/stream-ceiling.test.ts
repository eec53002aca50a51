import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { followStream, streamCeiling } from '../../src/governor/stream-ceiling.ts';
import { measurements } from './a-guard.ts';

const stream = {
  publishedEventsPerSecond: 900,
  appliedEventsPerSecond: 1_000,
  streamLength: 0,
  highWaterMark: 10_000,
};
const at = (streamLength: number | null, over: Partial<typeof stream> = {}) =>
  streamCeiling({ ...stream, ...over, streamLength }).eventsPerSecond;

describe('the stream’s ceiling', () => {
  test.each([
    ['half empty', 5_000, null],
    ['not known', null, null],
    ['nine tenths full: as much as leaves it', 9_000, 1_000],
    ['full: less than leaves it', 10_000, 600],
    ['far above the mark: nothing', 20_000, 0],
  ])('%s', (_name, length, expected) => {
    expect(at(length)).toBe(expected);
  });

  test('nothing leaves a full stream: nothing may enter', () => {
    expect(at(9_000, { appliedEventsPerSecond: 0 })).toBe(0);
    expect(
      streamCeiling({ ...stream, appliedEventsPerSecond: null, streamLength: 9_000 }).eventsPerSecond,
    ).toBe(0);
  });

  test('the fuller, the lower; from no limit at all without a jump', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 30_000 }), (a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(at(more) ?? Infinity).toBeLessThanOrEqual(at(less) ?? Infinity);
      }),
    );
    expect(at(5_001)).toBeGreaterThan(1e6);
  });
});

describe('the stream’s length, followed', () => {
  const seen = (nowMs: number, streamLength: number | null, appliedEventsPerSecond: number) =>
    measurements({ nowMs, replay: { ...stream, streamLength, appliedEventsPerSecond } });

  test('a stream that holds minutes is taken as it is', () => {
    expect(followStream(seen(250, 8_000, 10), { length: 0, atMs: 0 })?.length).toBeCloseTo(8_000, 0);
  });

  test('one that holds a fraction of a second is taken as the mean of three seconds', () => {
    let memory = followStream(seen(0, 10_000, 100_000), null);
    const lengths: number[] = [];
    for (let pass = 1; pass <= 80; pass++) {
      memory = followStream(seen(pass * 250, pass % 2 === 0 ? 10_000 : 0, 100_000), memory);
      if (pass > 40) lengths.push(memory?.length ?? 0);
    }
    expect(Math.min(...lengths)).toBeGreaterThan(4_000);
    expect(Math.max(...lengths)).toBeLessThan(6_000);
  });

  test('unknown is unknown, and a leap of the clock begins anew', () => {
    expect(followStream(seen(250, null, 1_000), { length: 9_000, atMs: 0 })).toBeNull();
    for (const nowMs of [-3_600_000, 3_600_000])
      expect(followStream(seen(nowMs, 100, 100_000), { length: 9_000, atMs: 0 })).toEqual({
        length: 100,
        atMs: nowMs,
      });
  });
});
