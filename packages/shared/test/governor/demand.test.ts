import { describe, expect, test } from 'vitest';
import { type DemandMemory, followDemand } from '../../src/governor/demand.ts';

const PASS_MS = 250;

/** A backfill and what its reader can publish, pass by pass; the governor follows it. */
function reader() {
  let nowMs = 0;
  let eventsPublished = 0;
  let memory: DemandMemory | null = null;
  return {
    demand: () => memory?.demand ?? null,
    leap: (ms: number) => void (nowMs += ms),
    /** For so long, granted so much, while its source yields so much. */
    read(seconds: number, granted: number, yields: number): number | null {
      for (let pass = 0; pass < seconds * 4; pass++) {
        memory = followDemand({ nowMs, eventsPublished, grantedEventsPerSecond: granted }, memory);
        nowMs += PASS_MS;
        eventsPublished += (Math.min(granted, yields) * PASS_MS) / 1000;
      }
      return memory?.demand ?? null;
    },
  };
}

describe('what a backfill can use', () => {
  test('as much as it gets, while it uses half of it or nobody has looked for two seconds', () => {
    const one = reader();
    expect(one.read(2, 1_000, 100)).toBeNull();
    const half = reader();
    expect(half.read(10, 1_000, 510)).toBeNull();
  });

  test('half as much again as it uses, when its source holds it up', () => {
    const one = reader();
    expect(one.read(3, 1_000, 100)).toBeCloseTo(150);
    // And it stays so: the smaller grant is not taken for one that is used up.
    expect(one.read(10, 150, 100)).toBeCloseTo(150);
    expect(one.read(5, 150, 60)).toBeCloseTo(90);
  });

  test('as much as it gets again, two seconds after it uses all it has', () => {
    const one = reader();
    one.read(3, 1_000, 0);
    expect(one.demand()).toBe(0);
    expect(one.read(4.5, 100, 1_000)).toBeNull();
  });

  test('is not judged by a time it was not granted anything in, nor by a rate it had only at the end', () => {
    const paused = reader();
    expect(paused.read(10, 0, 1_000)).toBeNull();
    expect(paused.read(1.5, 1_000, 0)).toBeNull();
    const raised = reader();
    raised.read(1.75, 100, 100);
    expect(raised.read(0.5, 1_000, 100)).toBeNull();
  });

  test.each([3_600_000, -3_600_000])('a clock that leaps by %d ms changes nothing', (ms) => {
    const one = reader();
    one.read(3, 1_000, 100);
    const before = one.demand();
    one.leap(ms);
    expect(one.read(0.5, 1_000, 100)).toBe(before);
    expect(one.read(5, 1_000, 1_000)).toBeNull();
  });
});
