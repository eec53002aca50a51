import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { handOver } from '../../src/governor/hand-over.ts';

const rate = fc.double({ min: 0, max: 1e5, noNaN: true });
const leases = fc
  .array(fc.record({ backfillId: fc.constantFrom('a', 'b'), target: rate, bound: rate }), { maxLength: 10 })
  .map((all) => all.map((lease, index) => ({ leaseId: `${index}`, ...lease })));

describe('hand-over', () => {
  test('nobody rises beyond what is free while everyone is reckoned at their bound', () => {
    fc.assert(
      fc.property(leases, rate, rate, rate, (all, ofA, ofB, total) => {
        const grants = handOver(
          all,
          new Map([
            ['a', ofA],
            ['b', ofB],
          ]),
          total,
        );
        const inForce = (of: typeof all) =>
          of.reduce((sum, lease) => sum + Math.max(lease.bound, grants.get(lease.leaseId) ?? 0), 0);
        const bounds = (of: typeof all) => of.reduce((sum, lease) => sum + lease.bound, 0);
        const within = (of: typeof all, ceiling: number) =>
          expect(inForce(of)).toBeLessThanOrEqual(Math.max(ceiling, bounds(of)) + 1e-3);
        within(all, total);
        within(
          all.filter((lease) => lease.backfillId === 'a'),
          ofA,
        );
        within(
          all.filter((lease) => lease.backfillId === 'b'),
          ofB,
        );
        for (const lease of all) expect(grants.get(lease.leaseId)).toBeLessThanOrEqual(lease.target);
      }),
    );
  });

  test('cuts at once, raises after the cut is acknowledged', () => {
    const ceilings = new Map([['a', 1_000]]);
    const before = handOver(
      [
        { leaseId: '1', backfillId: 'a', target: 500, bound: 1_000 },
        { leaseId: '2', backfillId: 'a', target: 500, bound: 0 },
      ],
      ceilings,
      1_000,
    );
    expect([before.get('1'), before.get('2')]).toEqual([500, 0]);
    const after = handOver(
      [
        { leaseId: '1', backfillId: 'a', target: 500, bound: 500 },
        { leaseId: '2', backfillId: 'a', target: 500, bound: 0 },
      ],
      ceilings,
      1_000,
    );
    expect([after.get('1'), after.get('2')]).toEqual([500, 500]);
  });
});
