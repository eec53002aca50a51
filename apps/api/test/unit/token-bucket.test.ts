import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { burstOf, TokenBucket } from '../../src/data-plane/replay/token-bucket.ts';

const HOUR_MS = 3_600_000;
const ALWAYS = Number.POSITIVE_INFINITY;

/** True time and what the clock shows, which a leap drives apart. */
class VirtualTime {
  trueMs = 0;
  shownMs = 5_000_000;
  readonly now = (): number => this.shownMs;
  pass(ms: number): void {
    this.trueMs += ms;
    this.shownMs += ms;
  }
  leap(ms: number): void {
    this.shownMs += ms;
  }
}

interface Release {
  readonly atMs: number;
  readonly events: number;
}

/** Valid until `validUntilMs`; without a safe rate of its own it stays what it is. */
function grant(
  bucket: TokenBucket,
  eventsPerSecond: number,
  validUntilMs: number,
  safeEventsPerSecond = eventsPerSecond,
): void {
  bucket.setGrant({ eventsPerSecond, safeEventsPerSecond, validUntilMs });
}

/** The most events released in any window of this length, over all windows that begin with a release. */
function mostInAnyWindow(releases: readonly Release[], windowMs: number): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const release of releases) {
    sum += release.events;
    while (release.atMs - (releases[first] as Release).atMs >= windowMs)
      sum -= (releases[first++] as Release).events;
    most = Math.max(most, sum);
  }
  return most;
}

/** Taken and on the stream in the same moment. */
function release(bucket: TokenBucket, max = Number.MAX_SAFE_INTEGER): number {
  const events = bucket.take(max);
  bucket.arrived(events);
  return events;
}

function bucketAt(eventsPerSecond: number, time: VirtualTime): TokenBucket {
  const bucket = new TokenBucket({ now: time.now });
  bucket.setDeadline(ALWAYS);
  grant(bucket, eventsPerSecond, ALWAYS);
  return bucket;
}

const rates = fc.double({ min: 0.5, max: 60_000, noNaN: true });
const fastRates = fc.double({ min: 1000, max: 60_000, noNaN: true });
/** Visits of a reader whose timer is late, and now and then very late. */
const visits = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: 0, max: 12, noNaN: true }) },
    { weight: 2, arbitrary: fc.double({ min: 12, max: 400, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(HOUR_MS) },
  ),
  { minLength: 1, maxLength: 300 },
);

describe('never more than the rate', () => {
  test('in any window at most rate × window + burst, also after an hour of pause', () => {
    fc.assert(
      fc.property(rates, visits, fc.double({ min: 1, max: 5000, noNaN: true }), (rate, steps, windowMs) => {
        const time = new VirtualTime();
        const bucket = bucketAt(rate, time);
        const releases: Release[] = [];
        for (const step of steps) {
          time.pass(step);
          releases.push({ atMs: time.trueMs, events: release(bucket) });
        }
        expect(mostInAnyWindow(releases, windowMs)).toBeLessThanOrEqual(
          (rate * windowMs) / 1000 + burstOf(rate) + 1e-6,
        );
      }),
    );
  });

  test('any second holds the rate at most and any 100 ms 1.18 × rate, from 1000 events/s on', () => {
    fc.assert(
      fc.property(fastRates, visits, (rate, steps) => {
        const time = new VirtualTime();
        const bucket = bucketAt(rate, time);
        const releases: Release[] = [];
        for (const step of steps) {
          time.pass(step);
          releases.push({ atMs: time.trueMs, events: release(bucket) });
        }
        expect(mostInAnyWindow(releases, 1000)).toBeLessThanOrEqual(rate + 1e-6);
        expect(mostInAnyWindow(releases, 100)).toBeLessThanOrEqual(1.18 * rate * 0.1 + 1e-6);
      }),
    );
  });

  test('as it reaches the stream, however long the appends of several readers take', () => {
    const step = fc.record({
      stepMs: fc.oneof(
        { weight: 10, arbitrary: fc.double({ min: 0, max: 12, noNaN: true }) },
        { weight: 1, arbitrary: fc.double({ min: 12, max: 400, noNaN: true }) },
      ),
      reader: fc.nat(3),
      wants: fc.integer({ min: 1, max: 2_000 }),
    });
    fc.assert(
      fc.property(
        rates,
        fc.array(step, { maxLength: 300 }),
        fc.double({ min: 1, max: 5000, noNaN: true }),
        (rate, steps, windowMs) => {
          const time = new VirtualTime();
          const bucket = bucketAt(rate, time);
          const underWay = [0, 0, 0, 0];
          const releases: Release[] = [];
          for (const { stepMs, reader, wants } of steps) {
            time.pass(stepMs);
            const arrived = underWay[reader] as number;
            if (arrived > 0) {
              bucket.arrived(arrived);
              releases.push({ atMs: time.trueMs, events: arrived });
            }
            underWay[reader] = arrived > 0 ? 0 : bucket.take(wants);
          }
          expect(mostInAnyWindow(releases, windowMs)).toBeLessThanOrEqual(
            (rate * windowMs) / 1000 + burstOf(rate) + 1e-6,
          );
        },
      ),
    );
  });

  test('with rates that change, the integral of the rate plus the burst at its beginning', () => {
    const moves = fc.array(
      fc.record({
        stepMs: fc.double({ min: 0, max: 40, noNaN: true }),
        rate: fc.option(fc.oneof(fc.constant(0), rates), { nil: null }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(rates, moves, fc.nat(199), (startRate, steps, windowStart) => {
        const time = new VirtualTime();
        const bucket = bucketAt(startRate, time);
        let rate = startRate;
        let allowed = Number.NaN;
        let released = 0;
        for (const [index, step] of steps.entries()) {
          if (index === windowStart) allowed = burstOf(rate);
          time.pass(step.stepMs);
          if (index >= windowStart) allowed += (rate * step.stepMs) / 1000;
          if (step.rate !== null) grant(bucket, (rate = step.rate), ALWAYS);
          const taken = release(bucket);
          if (index >= windowStart) released += taken;
          if (rate === 0) expect(taken).toBe(0);
        }
        if (windowStart < steps.length) expect(released).toBeLessThanOrEqual(allowed + 1e-6);
      }),
    );
  });

  test('a clock that leaps an hour, either way and any number of times, releases nothing more in true time', () => {
    const walk = fc.array(
      fc.oneof(
        { weight: 10, arbitrary: fc.record({ pass: fc.double({ min: 0, max: 12, noNaN: true }) }) },
        { weight: 1, arbitrary: fc.record({ leap: fc.constantFrom(HOUR_MS, -HOUR_MS) }) },
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(rates, walk, (rate, steps) => {
        const time = new VirtualTime();
        const bucket = bucketAt(rate, time);
        const releases: Release[] = [];
        for (const step of steps) {
          if ('pass' in step) time.pass(step.pass);
          else time.leap(step.leap);
          releases.push({ atMs: time.trueMs, events: release(bucket) });
          // The controller goes on granting, as it would.
          grant(bucket, rate, ALWAYS);
        }
        for (const windowMs of [10, 100, 1000])
          expect(mostInAnyWindow(releases, windowMs)).toBeLessThanOrEqual(
            (rate * windowMs) / 1000 + burstOf(rate) + 1e-6,
          );
      }),
    );
  });

  test('small steps back are waited out, so a trembling clock earns nothing twice', () => {
    const time = new VirtualTime();
    const bucket = bucketAt(1000, time);
    let released = 0;
    for (let visit = 0; visit < 1000; visit++) {
      time.leap(visit % 2 === 0 ? 50 : -50);
      released += release(bucket, 1000);
    }
    expect(released).toBeLessThanOrEqual(50);
  });

  test('after a leap back nothing until the next grant', () => {
    const time = new VirtualTime();
    const bucket = bucketAt(1000, time);
    time.leap(-HOUR_MS);
    for (let visit = 0; visit < 100; visit++) {
      time.pass(10);
      expect(release(bucket, 1000)).toBe(0);
    }
    grant(bucket, 1000, ALWAYS);
    time.pass(10);
    expect(release(bucket, 1000)).toBe(9);
  });
});

describe('no less than the rate', () => {
  test('at least 0.96 × rate when visited every 5 ms by a timer up to 10 ms late', () => {
    fc.assert(
      fc.property(rates, fc.infiniteStream(fc.double({ min: 0, max: 10, noNaN: true })), (rate, lateness) => {
        const time = new VirtualTime();
        const bucket = bucketAt(rate, time);
        const runMs = Math.max(5000, (200 / rate) * 1000);
        let released = 0;
        for (const late of lateness) {
          if (time.trueMs >= runMs) break;
          time.pass(5 + late);
          released += release(bucket);
        }
        expect(released).toBeGreaterThanOrEqual(0.96 * rate * (time.trueMs / 1000));
      }),
      { numRuns: 30 },
    );
  });

  test('at least 0.96 × rate for a reader that sleeps msUntil(1), also at less than one event a second', () => {
    fc.assert(
      fc.property(rates, fc.infiniteStream(fc.double({ min: 1, max: 10, noNaN: true })), (rate, lateness) => {
        const time = new VirtualTime();
        const bucket = bucketAt(rate, time);
        const runMs = Math.max(5000, (200 / rate) * 1000);
        let released = 0;
        for (const late of lateness) {
          if (time.trueMs >= runMs) break;
          const waitMs = bucket.msUntil(1);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(100);
          time.pass(waitMs + late);
          released += release(bucket);
        }
        expect(released).toBeGreaterThanOrEqual(0.96 * rate * (time.trueMs / 1000));
      }),
      { numRuns: 30 },
    );
  });

  test('at least 0.96 × rate for a reader that takes four milliseconds of it or nothing', () => {
    fc.assert(
      fc.property(rates, fc.infiniteStream(fc.double({ min: 0, max: 8, noNaN: true })), (rate, lateness) => {
        const time = new VirtualTime();
        const bucket = bucketAt(rate, time);
        const least = Math.max(1, Math.floor(rate * 0.004));
        const runMs = Math.max(5000, (200 / rate) * 1000);
        let released = 0;
        for (const late of lateness) {
          if (time.trueMs >= runMs) break;
          time.pass(bucket.msUntil(least) + late);
          const taken = bucket.take(Number.MAX_SAFE_INTEGER, least);
          expect(taken === 0 || taken >= least).toBe(true);
          released += taken;
          time.pass(1);
          bucket.arrived(taken);
        }
        expect(released).toBeGreaterThanOrEqual(0.96 * rate * (time.trueMs / 1000));
      }),
      { numRuns: 30 },
    );
  });

  test('at least one event at a time, however slow', () => {
    const time = new VirtualTime();
    const bucket = bucketAt(0.5, time);
    let released = 0;
    for (let visit = 0; visit < 100; visit++) {
      time.pass(100);
      released += release(bucket, 1000);
    }
    expect(released).toBe(4);
  });
});

test('takes what was asked for at least, or nothing, and never more than the most', () => {
  const time = new VirtualTime();
  const bucket = bucketAt(1000, time);
  time.pass(10);
  expect(bucket.take(100, 10)).toBe(0);
  expect(bucket.take(5, 5)).toBe(5);
  expect(bucket.take(100, 5)).toBe(0);
  expect(bucket.take(100, 4)).toBe(4);
  expect(bucket.take(100)).toBe(0);
});

describe('grants, leases and pauses', () => {
  test('nothing before the first grant and the first lease', () => {
    const time = new VirtualTime();
    const bucket = new TokenBucket({ now: time.now });
    time.pass(10);
    expect(release(bucket, 10)).toBe(0);
    grant(bucket, 1000, ALWAYS);
    time.pass(10);
    expect(release(bucket, 10)).toBe(0);
    bucket.setDeadline(ALWAYS);
    time.pass(10);
    expect(release(bucket, 10)).toBe(9);
  });

  test('a grant not renewed falls to the safe rate, and to zero at the deadline', () => {
    const time = new VirtualTime();
    const bucket = new TokenBucket({ now: time.now });
    bucket.setDeadline(time.shownMs + 3000);
    grant(bucket, 1000, time.shownMs + 2000, 100);
    const perSecond: number[] = [];
    for (let second = 0; second < 5; second++) {
      let released = 0;
      for (let visit = 0; visit < 100; visit++) {
        time.pass(10);
        released += release(bucket, 1000);
      }
      perSecond.push(released);
    }
    expect(perSecond[0]).toBeGreaterThanOrEqual(979);
    expect((perSecond[0] as number) + (perSecond[1] as number)).toBeLessThanOrEqual(2000);
    expect(perSecond[2]).toBeGreaterThanOrEqual(96);
    expect(perSecond[2]).toBeLessThanOrEqual(100 + burstOf(100));
    expect(perSecond.slice(3)).toEqual([0, 0]);
  });

  test('running out never raises a rate: paused stays paused', () => {
    const time = new VirtualTime();
    const bucket = new TokenBucket({ now: time.now });
    bucket.setDeadline(ALWAYS);
    grant(bucket, 0, time.shownMs + 50, 100);
    for (let visit = 0; visit < 100; visit++) {
      time.pass(10);
      expect(release(bucket, 1000)).toBe(0);
    }
    expect(bucket.eventsPerSecond).toBe(0);
    expect(bucket.msUntil(1)).toBe(100);
  });

  test('a slow-down takes effect at once', () => {
    const time = new VirtualTime();
    const bucket = bucketAt(50_000, time);
    time.pass(15);
    grant(bucket, 100, ALWAYS);
    expect(release(bucket, 10_000)).toBe(Math.floor(burstOf(100)));
    grant(bucket, 50_000, ALWAYS);
    time.pass(15);
    grant(bucket, 0, ALWAYS);
    expect(release(bucket, 10_000)).toBe(0);
  });

  test('takes no more than asked, and a rate must be a number', () => {
    const time = new VirtualTime();
    const bucket = bucketAt(1000, time);
    time.pass(15);
    expect(release(bucket, 4)).toBe(4);
    expect(release(bucket, -1)).toBe(0);
    expect(release(bucket, 100)).toBe(10);
    for (const rate of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => grant(bucket, rate, ALWAYS)).toThrow(RangeError);
  });
});
