import type { BucketMismatch } from '@spillway/shared/api/backfill';
import { expect, it } from 'vitest';
import { bucketsText, differenceText } from '../../src/features/backfill/model/proof-words.ts';

const side = (count: number | null) => (count === null ? null : ({ count } as BucketMismatch['source']));
const differing = (source: number | null, stored: number | null) =>
  ({ source: side(source), stored: side(stored) }) as BucketMismatch;

it.each([
  [12, 12, [], null],
  [
    336,
    335,
    [differing(12_730, 10_423)],
    'Of the 1 bucket that differs: 12,730 events expected, 10,423 stored, 2,307 missing.',
  ],
  [
    336,
    300,
    [differing(12_730, null), differing(null, 7)],
    'Of the first 2 of 36 buckets that differ: 12,730 events expected, 7 stored, 12,730 missing, 7 too many.',
  ],
  [
    336,
    335,
    [differing(12_730, 12_730)],
    'Of the 1 bucket that differs: 12,730 events expected, 12,730 stored, none missing; sum, hash or bucket row differs.',
  ],
  [
    336,
    335,
    [differing(null, null)],
    'Of the 1 bucket that differs: 0 events expected, 0 stored, none missing; sum, hash or bucket row differs.',
  ],
] as const)('of %i buckets, %i of which match', (bucketsChecked, bucketsMatched, mismatches, text) => {
  expect(differenceText({ bucketsChecked, bucketsMatched, mismatches: [...mismatches] })).toBe(text);
});

it.each([
  [1, 1, 'the 1 bucket that differs'],
  [3, 3, 'the 3 buckets that differ'],
  [10, 36, 'the first 10 of 36 buckets that differ'],
])('%i of %i buckets are named as what they are', (shown, differ, text) => {
  expect(bucketsText(shown, { bucketsChecked: 100, bucketsMatched: 100 - differ })).toBe(text);
});
