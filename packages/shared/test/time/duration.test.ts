import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationMs, formatDuration } from '../../src/time/duration.ts';

test('what is written is read back', () => {
  fc.assert(fc.property(fc.nat(2 ** 43), (ms) => void expect(durationMs(formatDuration(ms))).toBe(ms)));
});

test.each([
  ['PT1H', 3_600_000],
  ['P1DT30M', 88_200_000],
  ['P2W', 1_209_600_000],
  ['PT0.25S', 250],
  ['PT0S', 0],
])('%s', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test.each([
  '',
  'P',
  'PT',
  'P1DT',
  'P1M',
  'P1Y',
  '1H',
  'PT-1S',
  'PT1.0001S',
  'pt1h',
  `P${'9'.repeat(30)}D`,
  `P${'9'.repeat(400)}D`,
])('%s is none', (text) => {
  expect(durationMs(text)).toBe(null);
});
