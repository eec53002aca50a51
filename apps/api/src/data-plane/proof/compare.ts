import type { BucketMismatch } from '@spillway/shared/api/backfill';
import type { BucketDigest } from '../ports.ts';

/** Two pairs of what has to be equal. They differ in the stored events alone, and only where the window cuts a bucket. */
interface Sides {
  /** In the window; against `stored` it proves that nothing is lost or twice. */
  readonly source: readonly BucketDigest[];
  readonly stored: readonly BucketDigest[];
  /** Stored events of whole buckets; against the rows they prove the aggregation. */
  readonly whole: readonly BucketDigest[];
  readonly rows: readonly BucketDigest[];
}

/**
 * Which buckets differ, each with all its numbers, also those that agree; null: that side has nothing of it. A bucket on one side of a pair only is
 * a difference. `checked`: buckets that any side has.
 */
export function compareDigests(
  sourceId: string,
  sides: Sides,
): { readonly checked: number; readonly mismatches: readonly BucketMismatch[] } {
  const source = byName(sides.source);
  const stored = byName(sides.stored);
  const whole = byName(sides.whole);
  const rows = byName(sides.rows);
  const all = new Map([...source, ...stored, ...whole, ...rows]);
  const mismatches: BucketMismatch[] = [];
  for (const [name, { key, start }] of all) {
    if (equal(source.get(name), stored.get(name)) && equal(whole.get(name), rows.get(name))) continue;
    mismatches.push({
      sourceId,
      key,
      start: new Date(start).toISOString(),
      source: valuesOf(source.get(name)),
      stored: valuesOf(stored.get(name)),
      bucket: valuesOf(rows.get(name)),
    });
  }
  return { checked: all.size, mismatches };
}

function byName(digests: readonly BucketDigest[]): ReadonlyMap<string, BucketDigest> {
  return new Map(digests.map((digest) => [`${digest.start} ${digest.key}`, digest]));
}

function equal(a: BucketDigest | undefined, b: BucketDigest | undefined): boolean {
  return a?.count === b?.count && a?.sum === b?.sum && a?.hash === b?.hash;
}

function valuesOf(digest: BucketDigest | undefined): BucketMismatch['source'] {
  return digest === undefined ? null : { count: digest.count, sum: digest.sum, hash: digest.hash };
}
