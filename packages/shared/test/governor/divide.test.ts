import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divide } from '../../src/governor/divide.ts';

const claimants = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 4 }),
    priority: fc.integer({ min: -2, max: 2 }),
    limit: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
    demand: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  }),
  { selector: (claimant) => claimant.id, maxLength: 12 },
);
const total = fc.double({ min: 0, max: 1e6, noNaN: true });
const sumOf = (shares: ReadonlyMap<string, number>) =>
  [...shares.values()].reduce((sum, share) => sum + share, 0);
/** Rounding of doubles, not of the algorithm. */
const slack = (size: number) => size * 1e-9 + 1e-9;

describe('divide', () => {
  test('never hands out more than the total, nor more than a limit, nor less than nothing', () => {
    fc.assert(
      fc.property(total, claimants, (rate, all) => {
        const shares = divide(rate, all);
        expect(shares.size).toBe(all.length);
        expect(sumOf(shares)).toBeLessThanOrEqual(rate + slack(rate));
        for (const { id, limit } of all) {
          expect(shares.get(id)).toBeLessThanOrEqual((limit ?? Number.POSITIVE_INFINITY) + slack(rate));
          expect(shares.get(id)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('leaves nothing over while someone could use it', () => {
    fc.assert(
      fc.property(total, claimants, (rate, all) => {
        const shares = divide(rate, all);
        const wanted = all.reduce((sum, { limit }) => sum + (limit ?? Number.POSITIVE_INFINITY), 0);
        expect(sumOf(shares)).toBeGreaterThanOrEqual(Math.min(rate, wanted) - slack(rate));
      }),
    );
  });

  test('equals get equal shares unless their limit is lower', () => {
    fc.assert(
      fc.property(total, claimants, (rate, some) => {
        const all = some.map((claimant) => ({ ...claimant, demand: null }));
        const shares = divide(rate, all);
        for (const priority of new Set(all.map((claimant) => claimant.priority))) {
          const equals = all.filter((claimant) => claimant.priority === priority);
          const most = Math.max(...equals.map(({ id }) => shares.get(id) ?? 0));
          for (const { id, limit } of equals) {
            if ((shares.get(id) ?? 0) < (limit ?? Number.POSITIVE_INFINITY) - slack(rate))
              expect(shares.get(id)).toBeGreaterThanOrEqual(most - slack(rate));
          }
        }
      }),
    );
  });

  test.each([
    [
      'lends what the first cannot use',
      1_000,
      [
        [0, 100],
        [0, null],
      ],
      [100, 900],
    ],
    [
      'serves the higher priority first',
      1_000,
      [
        [0, null],
        [5, 800],
      ],
      [200, 800],
    ],
    [
      'starves the lower one when it must',
      1_000,
      [
        [0, null],
        [5, null],
      ],
      [0, 1_000],
    ],
  ] as const)('%s', (_name, rate, given, expected) => {
    const shares = divide(
      rate,
      given.map(([priority, limit], index) => ({ id: `${index}`, priority, limit, demand: null })),
    );
    expect([...expected.keys()].map((index) => shares.get(`${index}`))).toEqual(expected);
  });

  test('nobody has more than its demand while another, of whatever priority, has less than its own and could use it', () => {
    fc.assert(
      fc.property(total, claimants, (rate, all) => {
        const shares = divide(rate, all);
        const wanted = ({ limit, demand }: (typeof all)[number]) =>
          Math.min(limit ?? Number.POSITIVE_INFINITY, demand ?? Number.POSITIVE_INFINITY);
        const share = ({ id }: (typeof all)[number]) => shares.get(id) ?? 0;
        const beyond = all.some((one) => share(one) > wanted(one) + slack(rate));
        const short = all.some((one) => share(one) < wanted(one) - slack(rate));
        expect(beyond && short).toBe(false);
      }),
    );
  });

  test.each([
    ['what the first does not use goes to an equal', 0, [null, 100], [900, 100]],
    ['and to one of lower priority', 5, [null, 100], [900, 100]],
    ['when nobody wants more it comes back', 0, [300, 100], [600, 400]],
  ] as const)('%s', (_name, priority, [demand, own], expected) => {
    const shares = divide(1_000, [
      { id: 'other', priority: 0, limit: null, demand },
      { id: 'slow', priority, limit: null, demand: own },
    ]);
    expect([shares.get('other'), shares.get('slow')]).toEqual(expected);
  });
});
