import { expect, test } from 'vitest';
import { SpendHistory } from '../../src/control-plane/cost/spend-history.ts';

const DAY_MS = 86_400_000;

test('spend per hour is that of the last minute, or unknown', () => {
  const history = new SpendHistory();
  const rates: (bigint | null)[] = [];
  for (let second = 0; second <= 120; second += 1) {
    history.observe('live', BigInt(second <= 60 ? second * 100 : 6_000 + (second - 60) * 10), second * 1_000);
    rates.push(history.perHour('live', second * 1_000));
  }
  expect(rates[4]).toBeNull();
  expect(rates[5]).toBe(360_000n);
  expect(rates[60]).toBe(360_000n);
  expect(rates[120]).toBe(36_000n);
  expect(history.perHour('live', 126_000)).toBeNull();
  expect(history.perHour('nobody', 0)).toBeNull();
});

test('the mean of a day is no spend of the last minute', () => {
  const history = new SpendHistory();
  history.observe('live', 0n, 0);
  history.observe('live', 1_000n, DAY_MS);
  expect(history.perHour('live', DAY_MS)).toBeNull();
  history.observe('live', 1_100n, DAY_MS + 10_000);
  expect(history.perHour('live', DAY_MS + 10_000)).toBe(36_000n);
});
