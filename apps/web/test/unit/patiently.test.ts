import { expect, it } from 'vitest';
import { patiently } from '../../src/lib/patiently.ts';

it('a part of the page that cannot be fetched is asked for again, with growing pauses, until it comes', async () => {
  const pauses: number[] = [];
  let failures = 7;
  const part = await patiently(
    async () => {
      if (failures-- > 0) throw new TypeError('Failed to fetch dynamically imported module');
      return 'a part';
    },
    async (delayMs) => void pauses.push(delayMs),
  );
  expect(part).toBe('a part');
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});
