import fc from 'fast-check';
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

  test('what it was lent for stays lent while a tenth of it is left lying, and is called back when less is', () => {
    const one = reader();
    expect(one.read(3, 1_000, 100)).toBeCloseTo(150);
    expect(one.read(5, 150, 130)).toBeCloseTo(195);
    expect(one.read(5, 195, 180)).toBeNull();
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

/** A source that yields a batch, and needs a while for the next once that has been taken. */
interface Bursts {
  readonly batch: number;
  readonly fetchMs: number;
}

/** Its reader, which is granted what it is known to be able to use while somebody else wants the rest of 500 events/s. */
function burstyReader(backWithinMs: number) {
  const part = 500;
  let nowMs = 0;
  let eventsPublished = 0;
  let left = 0;
  let fetchedMs = 0;
  let memory: DemandMemory | null = null;
  return {
    get lent(): boolean {
      return memory !== null && memory.demand !== null;
    },
    /** Milliseconds at which it was lent, or called back. */
    read(ms: number, { batch, fetchMs }: Bursts): number[] {
      const changes: number[] = [];
      left = Math.min(left, batch);
      for (const endMs = nowMs + ms; nowMs < endMs; ) {
        const demand: number | null = memory?.demand ?? null;
        const granted = Math.max(part / 10, Math.min(part, demand ?? part));
        memory = followDemand({ nowMs, eventsPublished, grantedEventsPerSecond: granted }, memory, {
          backWithinMs,
        });
        if ((memory.demand === null) !== (demand === null)) changes.push(nowMs);
        nowMs += PASS_MS;
        if (left <= 0 && nowMs >= fetchedMs) left = batch;
        const published = Math.min(left, (granted * PASS_MS) / 1000);
        eventsPublished += published;
        left -= published;
        if (published > 0 && left <= 0) fetchedMs = nowMs + fetchMs;
      }
      return changes;
    },
  };
}

describe('a source that comes in bursts', () => {
  const bursts = fc.record({
    batch: fc.integer({ min: 1, max: 3_000 }),
    fetchMs: fc.integer({ min: 0, max: 20_000 }),
  });
  const MINUTES = 10;

  // Of a worker by its ticks, of a backfill by the governor's passes.
  test.each([200, 2_000])(
    'does not flap: called back within %d ms, four changes a minute at the most',
    (backWithinMs) => {
      fc.assert(
        fc.property(bursts, (source) => {
          const changes = burstyReader(backWithinMs).read(MINUTES * 60_000, source);
          // Ten until what a loan takes has doubled to the end; then two in half a minute, or four where a short one follows a long one.
          expect(changes.length).toBeLessThanOrEqual(10 + 4 * MINUTES);
        }),
      );
    },
  );

  test('one that has flapped and then really yields little is lent within 36 s, and one that yields it all has all of it', () => {
    fc.assert(
      fc.property(bursts, (source) => {
        const one = burstyReader(200);
        one.read(MINUTES * 60_000, source);
        one.read(36_000, { batch: 1, fetchMs: 250 });
        expect(one.lent).toBe(true);
        one.read(21_000, { batch: 1e9, fetchMs: 0 });
        expect(one.lent).toBe(false);
      }),
    );
  });

  test('loans that were right make the next ones as quick as the first', () => {
    const one = burstyReader(200);
    one.read(120_000, { batch: 200, fetchMs: 2_000 });
    for (let loans = 0; loans < 4; loans++) {
      one.read(120_000, { batch: 1, fetchMs: 250 });
      one.read(10_000, { batch: 1e9, fetchMs: 0 });
      expect(one.lent).toBe(false);
    }
    one.read(5_000, { batch: 1, fetchMs: 250 });
    expect(one.lent).toBe(true);
  });
});
