import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callBack, type LeaseUser, type LeaseWorker } from '../../src/backfill/call-back.ts';

const worker = (over: Partial<LeaseWorker> = {}): LeaseWorker => ({
  workerId: 'w',
  leasesMax: 8,
  isolated: false,
  ...over,
});
const LONG = 6_000;
/** `leases` of one worker, held for so long. */
const user = (
  backfillId: string,
  leases: number,
  over: Partial<LeaseUser> = {},
  heldMs = LONG,
): LeaseUser => ({
  backfillId,
  priority: 0,
  ordinal: 1,
  concurrency: 8,
  lastServedMs: 0,
  isolated: false,
  canUse: true,
  wants: 8,
  leases: Array.from({ length: leases }, (_, index) => ({
    leaseId: `${backfillId}-${index}`,
    kind: 'replay' as const,
    workerId: 'w',
    heldMs: heldMs + index,
    hasPublished: true,
  })),
  ...over,
});
const from = (back: readonly { leaseId: string }[]) =>
  Object.fromEntries(
    [...Map.groupBy(back, ({ leaseId }) => leaseId.split('-')[0] ?? '')].map(([id, { length }]) => [
      id,
      length,
    ]),
  );

describe('leases that are asked back', () => {
  const without = { canUse: false };
  test.each([
    ['nobody lacks any', [user('a', 8)], {}],
    ['some are free', [user('a', 4), user('b', 0, { concurrency: 4, ordinal: 2 })], {}],
    [
      'who may publish nothing gives at once',
      [user('a', 8, without, 10), user('b', 0, { concurrency: 4 })],
      { a: 4 },
    ],
    [
      'who may publish keeps those of an ordinary run',
      [user('a', 8, {}, 2_000), user('b', 0, { ordinal: 2 })],
      {},
    ],
    ['but gives those held for longer', [user('a', 8), user('b', 0, { ordinal: 2 })], { a: 4 }],
    ['only as many as there is work for', [user('a', 8), user('b', 0, { wants: 1, ordinal: 2 })], { a: 1 }],
    ['the higher priority has what it wants', [user('a', 8), user('b', 0, { priority: 1 })], { a: 7 }],
    ['the lower keeps one', [user('a', 7, { priority: 1 }), user('b', 1, { ordinal: 2 })], {}],
    ['the lower gets one', [user('a', 8, { priority: 1 }), user('b', 0, { ordinal: 2 })], { a: 1 }],
    ['nobody gives for one that may publish nothing', [user('a', 8), user('b', 0, without)], {}],
    [
      'who has more than is due gives, to each who has less',
      [user('a', 2), user('c', 6), user('b', 0, { concurrency: 2 })],
      { c: 3 },
    ],
  ])('%s', (_, users, expected) => {
    expect(from(callBack(users, [worker()]))).toEqual(expected);
  });

  test('of two that hold as much beyond what is due, the one that has held for longest gives', () => {
    const users = [user('a', 4), user('c', 4, {}, LONG + 10), user('b', 0, { wants: 1, ordinal: 2 })];
    expect(callBack(users, [worker({ leasesMax: 7 })]).map(({ leaseId }) => leaseId)).toEqual(['c-3']);
  });

  test('the one held longest comes first, and is named again until it is back', () => {
    const users = [user('a', 8), user('b', 0, { wants: 1, ordinal: 2 })];
    expect(callBack(users, [worker()])).toEqual(callBack(users, [worker()]));
    expect(callBack(users, [worker()]).map(({ leaseId }) => leaseId)).toEqual(['a-7']);
  });

  test('one that has published nothing yet has a minute for its first event', () => {
    const slow = (heldMs: number) => {
      const holder = user('a', 1, {}, heldMs);
      const leases = holder.leases.map((lease) => ({ ...lease, hasPublished: false }));
      return callBack([{ ...holder, leases }, user('b', 0, { priority: 1 })], [worker({ leasesMax: 1 })]);
    };
    expect(slow(50_000)).toEqual([]);
    expect(slow(61_000)).toHaveLength(1);
  });

  test('a proof is never asked back', () => {
    const proving = user('a', 8, { canUse: false });
    const leases = proving.leases.map((lease) => ({ ...lease, kind: 'verify' as const }));
    expect(callBack([{ ...proving, leases }, user('b', 0)], [worker()])).toEqual([]);
  });

  test('for what is isolated only those of isolated workers are worth anything', () => {
    const waits = user('b', 0, { isolated: true });
    const held = user('a', 8, { canUse: false });
    expect(
      callBack([held, waits], [worker(), worker({ workerId: 'i', leasesMax: 0, isolated: true })]),
    ).toEqual([]);
    expect(callBack([held, waits], [worker({ isolated: true })])).toHaveLength(8);
  });

  test.each([
    [3, 1],
    [3, 2],
    [5, 3],
    [7, 8],
  ])('of %d backfills and %d leases each has its turn', (count, leasesMax) => {
    const names = Array.from({ length: count }, (_, index) => `${index}`);
    const servedMs = new Map(names.map((name) => [name, Number.NEGATIVE_INFINITY]));
    const heldSince = new Map<string, number>();
    const rounds = 60;
    const held = new Map(names.map((name) => [name, 0]));
    for (let round = 0; round < rounds; round++) {
      const nowMs = round * 10_000;
      const users = names.map((name, ordinal) => {
        const sinceMs = heldSince.get(name);
        const over = { ordinal, wants: 1, lastServedMs: servedMs.get(name) ?? 0 };
        return sinceMs === undefined ? user(name, 0, over) : user(name, 1, over, nowMs - sinceMs);
      });
      for (const { leaseId } of callBack(users, [worker({ leasesMax })])) {
        const [name = ''] = leaseId.split('-');
        heldSince.delete(name);
        servedMs.set(name, nowMs);
      }
      // As it is handed out: to those that have none, who was served longest ago.
      while (heldSince.size < Math.min(leasesMax, count)) {
        const [next = ''] = names
          .filter((name) => !heldSince.has(name))
          .toSorted(
            (one, other) =>
              (servedMs.get(one) ?? 0) - (servedMs.get(other) ?? 0) || Number(one) - Number(other),
          );
        heldSince.set(next, nowMs);
        servedMs.set(next, nowMs);
      }
      for (const name of heldSince.keys()) held.set(name, (held.get(name) ?? 0) + 1);
    }
    const fair = (rounds * Math.min(leasesMax, count)) / count;
    for (const times of held.values()) expect(Math.abs(times - fair)).toBeLessThanOrEqual(fair * 0.2);
  });

  const someone = fc.record({
    priority: fc.integer({ min: 0, max: 2 }),
    concurrency: fc.integer({ min: 1, max: 16 }),
    canUse: fc.boolean(),
    wants: fc.integer({ min: 0, max: 16 }),
    held: fc.integer({ min: 0, max: 4 }),
    lastServedMs: fc.integer({ min: 0, max: 100 }),
  });
  test('whoever can use one has one once they are back, where there are enough; and nobody who can is left without by giving', () => {
    fc.assert(
      fc.property(
        fc.array(someone, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 8 }),
        (all, spare) => {
          const users = all.map(({ held, ...rest }, index) =>
            user(`${index}`, Math.min(held, rest.concurrency), {
              ...rest,
              ordinal: index,
              wants: Math.max(rest.wants, Math.min(held, rest.concurrency)),
            }),
          );
          const held = users.reduce((sum, { leases }) => sum + leases.length, 0);
          const leasesMax = held + spare;
          const back = callBack(users, [worker({ leasesMax })]);
          const given = from(back);
          const able = users.filter(({ canUse, wants }) => canUse && wants > 0);
          const lacking = able.filter(({ leases }) => leases.length === 0).length;
          if (able.length <= leasesMax) expect(spare + back.length).toBeGreaterThanOrEqual(lacking);
          for (const { backfillId, leases, canUse } of users)
            if (canUse && able.length <= leasesMax && leases.length > 0)
              expect(leases.length - (given[backfillId] ?? 0)).toBeGreaterThan(0);
        },
      ),
    );
  });
});
