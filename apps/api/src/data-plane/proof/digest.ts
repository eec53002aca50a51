import { eventHash } from '../apply/bucket-hash.ts';
import type { PipelineEvent } from '../event.ts';
import type { BucketDigest } from '../ports.ts';

const MODULUS = 1n << 64n;

/** Digests of events read from a source, per key and bucket: count, exact sum, Σ of event hashes mod 2⁶⁴. */
export class SourceDigest {
  readonly #bucketMs: number;
  readonly #buckets = new Map<
    string,
    { key: string; start: number; count: number; sum: bigint; hash: bigint }
  >();
  #events = 0;

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
  }

  add(event: PipelineEvent): void {
    const start = Math.floor(event.at / this.#bucketMs) * this.#bucketMs;
    const id = `${start} ${event.key}`;
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      bucket = { key: event.key, start, count: 0, sum: 0n, hash: 0n };
      this.#buckets.set(id, bucket);
    }
    bucket.count += 1;
    bucket.sum += BigInt(event.value);
    bucket.hash = (bucket.hash + eventHash(event)) % MODULUS;
    this.#events += 1;
  }

  get events(): number {
    return this.#events;
  }

  digests(): BucketDigest[] {
    return [...this.#buckets.values()].map(({ key, start, count, sum, hash }) => ({
      key,
      start,
      count,
      sum: String(sum),
      hash: String(hash),
    }));
  }
}
