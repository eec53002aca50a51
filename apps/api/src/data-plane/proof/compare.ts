import type { BucketMismatch } from '@spillway/shared/api/backfill';
import type { BucketDigest } from '../ports.ts';

/**
 * Which of two sets of digests differ. `source` against `stored` events proves nothing is lost or twice; stored events against
 * `bucket` rows proves the aggregation. A bucket on one side only is a difference. `names`: one for each bucket on either side.
 */
export function compareDigests(
  sourceId: string,
  left: readonly BucketDigest[],
  right: readonly BucketDigest[],
  sides: readonly ['source', 'stored'] | readonly ['stored', 'bucket'],
): { readonly names: Iterable<string>; readonly mismatches: readonly BucketMismatch[] } {
  const pairs = new Map<string, { left?: BucketDigest; right?: BucketDigest }>();
  for (const digest of left) pairs.set(nameOf(digest), { left: digest });
  for (const digest of right) pairs.set(nameOf(digest), { ...pairs.get(nameOf(digest)), right: digest });
  const mismatches: BucketMismatch[] = [];
  for (const pair of pairs.values()) {
    const known = pair.left ?? pair.right;
    if (known === undefined || equal(pair.left, pair.right)) continue;
    const blank = { source: null, stored: null, bucket: null };
    mismatches.push({
      sourceId,
      key: known.key,
      start: new Date(known.start).toISOString(),
      ...blank,
      [sides[0]]: valuesOf(pair.left),
      [sides[1]]: valuesOf(pair.right),
    });
  }
  return { names: pairs.keys(), mismatches };
}

function nameOf({ start, key }: BucketDigest): string {
  return `${start} ${key}`;
}

function equal(a: BucketDigest | undefined, b: BucketDigest | undefined): boolean {
  return a !== undefined && b !== undefined && a.count === b.count && a.sum === b.sum && a.hash === b.hash;
}

function valuesOf(digest: BucketDigest | undefined): BucketMismatch['source'] {
  return digest === undefined ? null : { count: digest.count, sum: digest.sum, hash: digest.hash };
}
