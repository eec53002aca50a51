import { expect, test } from 'vitest';
import { compareCost } from '../../src/cost/compare.ts';

test('estimate against actual: every item, with what is unknown as null', () => {
  const usd = (amount: string) => ({ amount, currency: 'USD' });
  const rows = compareCost(
    [
      { item: 'compute', total: usd('2') },
      { item: 'egress', total: usd('0') },
    ],
    [
      { item: 'compute', total: usd('2.5'), apportioned: true },
      { item: 'egress', total: usd('1'), apportioned: false },
      { item: 'store_wal', total: null, apportioned: false },
    ],
  );
  expect(rows).toHaveLength(9);
  expect(rows.find(({ item }) => item === 'compute')).toMatchObject({ ratio: 1.25, apportioned: true });
  expect(rows.find(({ item }) => item === 'egress')?.ratio).toBeNull();
  expect(rows.find(({ item }) => item === 'store_wal')).toMatchObject({
    estimate: null,
    actual: null,
    ratio: null,
  });
});
