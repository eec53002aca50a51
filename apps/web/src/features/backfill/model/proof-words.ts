import type { Verification } from '@spillway/shared/api/backfill';
import { formatCount } from '../../../lib/format.ts';

/** A screenful. */
export const MISMATCHES_SHOWN = 10;

type Told = Pick<Verification, 'bucketsChecked' | 'bucketsMatched' | 'mismatches'>;

/**
 * Expected, stored and missing, of the buckets that differ: all of them where the proof has kept all, else of the first. Null: none is known to. More
 * may be stored than expected in one bucket and less in another, so what is missing is counted bucket by bucket.
 */
export function differenceText({ bucketsChecked, bucketsMatched, mismatches }: Told): string | null {
  if (mismatches.length === 0) return null;
  const sum = (of: (mismatch: Told['mismatches'][number]) => number) =>
    mismatches.reduce((total, mismatch) => total + of(mismatch), 0);
  const expected = sum(({ source }) => source?.count ?? 0);
  const stored = sum((mismatch) => mismatch.stored?.count ?? 0);
  const short = ({ source, stored: held }: Told['mismatches'][number]) =>
    (source?.count ?? 0) - (held?.count ?? 0);
  const missing = sum((mismatch) => Math.max(0, short(mismatch)));
  const surplus = sum((mismatch) => Math.max(0, -short(mismatch)));
  const differing = bucketsChecked - bucketsMatched;
  const buckets =
    differing > mismatches.length
      ? `the first ${formatCount(mismatches.length)} of ${formatCount(differing)} buckets that differ`
      : `the ${formatCount(mismatches.length)} ${mismatches.length === 1 ? 'bucket that differs' : 'buckets that differ'}`;
  const more = surplus === 0 ? '' : `, ${formatCount(surplus)} too many`;
  return `Of ${buckets}: ${formatCount(expected)} events expected, ${formatCount(stored)} stored, ${formatCount(missing)} missing${more}.`;
}
