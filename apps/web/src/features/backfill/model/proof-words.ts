import type { Verification } from '@spillway/shared/api/backfill';
import { formatCount } from '../../../lib/format.ts';

/** A screenful. */
export const MISMATCHES_SHOWN = 10;

type Told = Pick<Verification, 'bucketsChecked' | 'bucketsMatched' | 'mismatches'>;
type Mismatch = Told['mismatches'][number];

/** Which of the buckets that differ these are: all of them, or the first. */
export function bucketsText(
  shown: number,
  { bucketsChecked, bucketsMatched }: Omit<Told, 'mismatches'>,
): string {
  const differing = bucketsChecked - bucketsMatched;
  return differing > shown
    ? `the first ${formatCount(shown)} of ${formatCount(differing)} buckets that differ`
    : `the ${formatCount(shown)} ${shown === 1 ? 'bucket that differs' : 'buckets that differ'}`;
}

/**
 * Expected, stored and missing, of the buckets that differ: all of them where the proof has kept all, else of the first. Null: none is known to. More
 * may be stored than expected in one bucket and less in another, so what is missing is counted bucket by bucket. Where no bucket has too few or too
 * many, they differ in something else.
 */
export function differenceText(told: Told): string | null {
  const { mismatches } = told;
  if (mismatches.length === 0) return null;
  const sum = (of: (mismatch: Mismatch) => number) =>
    mismatches.reduce((total, mismatch) => total + of(mismatch), 0);
  const expected = sum(({ source }) => source?.count ?? 0);
  const stored = sum((mismatch) => mismatch.stored?.count ?? 0);
  const short = ({ source, stored: held }: Mismatch) => (source?.count ?? 0) - (held?.count ?? 0);
  const missing = sum((mismatch) => Math.max(0, short(mismatch)));
  const surplus = sum((mismatch) => Math.max(0, -short(mismatch)));
  const difference =
    missing + surplus === 0
      ? 'none missing; sum, hash or bucket row differs'
      : `${formatCount(missing)} missing${surplus === 0 ? '' : `, ${formatCount(surplus)} too many`}`;
  return `Of ${bucketsText(mismatches.length, told)}: ${formatCount(expected)} events expected, ${formatCount(stored)} stored, ${difference}.`;
}
