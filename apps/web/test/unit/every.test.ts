import { describe, expect, it } from 'vitest';
import { every } from '../../src/lib/every.ts';

describe('what is asked again every two seconds', () => {
  it.each([
    ['before the first answer', undefined, 0, 2_000],
    ['as long as answers come', {}, 0, 2_000],
    ['when one fails to come and another is known', {}, 3, 2_000],
    ['and seldom when there has never been one', undefined, 1, 30_000],
  ])('%s', (_name, data, errorUpdateCount, ms) => {
    expect(every(2_000)({ state: { data, errorUpdateCount } })).toBe(ms);
  });
});
