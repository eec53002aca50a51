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
  lastGivenMs: 0,
  isolated: false,
  canUse: true,
  wants: 8,
  leases: Array.from({ length: leases }, (_, index) => ({
    leaseId: `${backfillId}-${index}`,
    kind: 'replay' as const,
    workerId: 'w',
    heldMs: heldMs + index,
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

  test('the one held longest comes first, and is named again until it is back', () => {
    const users = [user('a', 8), user('b', 0, { wants: 1, ordinal: 2 })];
    expect(callBack(users, [worker()])).toEqual(callBack(users, [worker()]));
    expect(callBack(users, [worker()]).map(({ leaseId }) => leaseId)).toEqual(['a-7']);
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

  test('of more backfills than leases each has its turn', () => {
    const users = ['a', 'b', 'c'].map((id, index) => user(id, 0, { ordinal: index, wants: 1 }));
    const turns: string[] = [];
    let held: LeaseUser | null = null;
    for (let round = 0; round < 6; round++) {
      const now = users.map((one) => (one.backfillId === held?.backfillId ? held : one));
      const back = callBack(now, [worker({ leasesMax: 1 })]);
      expect(back).toHaveLength(held === null ? 0 : 1);
      // As it is handed out: none has one, so to whoever had its last longest ago.
      const next = users.reduce((best, one) => (one.lastGivenMs < best.lastGivenMs ? one : best));
      const index = users.indexOf(next);
      held = user(next.backfillId, 1, { ordinal: index, wants: 1, lastGivenMs: round + 1 });
      users[index] = { ...held, leases: [] };
      turns.push(next.backfillId);
    }
    expect(turns).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  const someone = fc.record({
    priority: fc.integer({ min: 0, max: 2 }),
    concurrency: fc.integer({ min: 1, max: 16 }),
    canUse: fc.boolean(),
    wants: fc.integer({ min: 0, max: 16 }),
    held: fc.integer({ min: 0, max: 4 }),
    lastGivenMs: fc.integer({ min: 0, max: 100 }),
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
