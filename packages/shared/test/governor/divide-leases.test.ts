import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DemandMemory, followDemand } from '../../src/governor/demand.ts';
import { divideLeases, type LeaseHolder } from '../../src/governor/divide-leases.ts';

const holders: fc.Arbitrary<LeaseHolder[]> = fc.uniqueArray(
  fc.record({
    workerId: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    leases: fc.integer({ min: 1, max: 8 }),
    demand: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true })),
  }),
  { selector: ({ workerId }) => workerId, minLength: 1 },
);
const rate = fc.double({ min: 0, max: 1e5, noNaN: true });
const slack = (size: number) => size * 1e-9 + 1e-9;

describe('a backfill’s rate among its leases', () => {
  test('is all given away, and never more', () => {
    fc.assert(
      fc.property(rate, holders, (total, all) => {
        const shares = divideLeases(total, all);
        const sum = all.reduce(
          (given, { workerId, leases }) => given + leases * (shares.get(workerId) ?? 0),
          0,
        );
        expect(Math.abs(sum - total)).toBeLessThanOrEqual(slack(total));
      }),
    );
  });

  test('gives nobody less than an equal part while it wants it, and never nothing', () => {
    fc.assert(
      fc.property(rate, holders, (total, all) => {
        const shares = divideLeases(total, all);
        const equal = total / all.reduce((sum, { leases }) => sum + leases, 0);
        for (const { workerId, leases, demand } of all) {
          const wanted = Math.min(equal, demand === null ? equal : demand / leases);
          expect(shares.get(workerId)).toBeGreaterThanOrEqual(wanted - slack(total));
          expect(shares.get(workerId)).toBeGreaterThanOrEqual(equal * 0.1 - slack(total));
        }
      }),
    );
  });

  test('gives nobody more than it wants while another wants more than it has', () => {
    fc.assert(
      fc.property(rate, holders, (total, all) => {
        const shares = divideLeases(total, all);
        const equal = total / all.reduce((sum, { leases }) => sum + leases, 0);
        const of = ({ workerId }: LeaseHolder) => shares.get(workerId) ?? 0;
        const wants = ({ demand, leases }: LeaseHolder) =>
          demand === null ? Number.POSITIVE_INFINITY : Math.max(demand / leases, equal * 0.1);
        const beyond = all.some((holder) => of(holder) > wants(holder) + slack(total));
        const short = all.some((holder) => of(holder) < wants(holder) - slack(total));
        expect(beyond && short).toBe(false);
      }),
    );
  });

  test.each([
    [
      'in equal parts',
      [
        [1, null],
        [1, null],
      ],
      [500, 500],
    ],
    [
      'a lease for a lease',
      [
        [3, null],
        [1, null],
      ],
      [250, 250],
    ],
    [
      'what one does not use goes to the other',
      [
        [1, 100],
        [1, null],
      ],
      [100, 900],
    ],
    [
      'and comes back when nobody wants it',
      [
        [1, 100],
        [1, 300],
      ],
      [400, 600],
    ],
    [
      'one that stands still keeps what it can show itself with',
      [
        [1, 0],
        [1, null],
      ],
      [50, 950],
    ],
  ] as const)('%s', (_what, given, expected) => {
    const all = given.map(([leases, demand], index) => ({ workerId: `w${index}`, leases, demand }));
    const shares = divideLeases(1_000, all);
    expect(all.map(({ workerId }) => shares.get(workerId))).toEqual(expected);
  });
});

/** Ticks of two workers that share 1,000 events/s; each publishes what it is granted and its source yields. */
function ticking() {
  let nowMs = 0;
  const workers = ['a', 'b'].map((workerId) => ({
    workerId,
    granted: 500,
    published: 0,
    memory: null as DemandMemory | null,
  }));
  return {
    granted: () => workers.map(({ granted }) => Math.round(granted)),
    tick(count: number, ...yields: readonly number[]) {
      for (let at = 0; at < count; at++) {
        nowMs += 250;
        for (const [index, worker] of workers.entries()) {
          worker.published += Math.min(worker.granted, yields[index] ?? 0) / 4;
          worker.memory = followDemand(
            { nowMs, eventsPublished: worker.published, grantedEventsPerSecond: worker.granted },
            worker.memory,
            { backWithinMs: 200 },
          );
        }
        const holding = workers.map(({ workerId, memory }) => ({
          workerId,
          leases: 1,
          demand: memory?.demand ?? null,
        }));
        const shares = divideLeases(1_000, holding);
        for (const worker of workers) worker.granted = shares.get(worker.workerId) ?? 0;
      }
    },
  };
}

describe('a worker whose source is slow', () => {
  test('lends what it leaves lying, and has its part again one tick after it wants it', () => {
    const shared = ticking();
    shared.tick(20, 100, 5_000);
    expect(shared.granted()).toEqual([150, 850]);
    shared.tick(1, 5_000, 5_000);
    expect(shared.granted()).toEqual([500, 500]);
  });

  test('one that stands still altogether, too', () => {
    const shared = ticking();
    shared.tick(20, 0, 5_000);
    expect(shared.granted()).toEqual([50, 950]);
    shared.tick(1, 5_000, 5_000);
    expect(shared.granted()).toEqual([500, 500]);
  });

  test('moves nothing while it uses half of its part', () => {
    const shared = ticking();
    shared.tick(40, 260, 5_000);
    expect(shared.granted()).toEqual([500, 500]);
  });
});
