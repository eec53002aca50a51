import type { PipelineEvent } from '../event.ts';
import { BucketHash } from './bucket-hash.ts';
import { byBytes } from './byte-order.ts';

/** What events add to one bucket. */
export interface BucketDelta {
  readonly sourceId: string;
  /** Epoch ms, a multiple of the bucket width. */
  readonly start: number;
  readonly key: string;
  readonly count: number;
  readonly sum: bigint;
  readonly min: number;
  readonly max: number;
  readonly hash: bigint;
}

/**
 * The deltas of `events`, none of them earlier than 1970, in the order of (source, start, key), as the store's own grouping has
 * it (`apply_known`): two writers that touch the same buckets in the same order cannot deadlock.
 */
export function bucketDeltas(events: readonly PipelineEvent[], bucketMs: number): BucketDelta[] {
  const sums = new Map<string, Accumulator>();
  for (const event of events) {
    const start = event.at - (event.at % bucketMs);
    const place = `${event.sourceId}\0${start}\0${event.key}`;
    let sum = sums.get(place);
    if (sum === undefined) sums.set(place, (sum = new Accumulator(event, start)));
    sum.add(event);
  }
  return [...sums.values()].map((sum) => sum.delta()).sort(inOrder);
}

class Accumulator {
  readonly #first: PipelineEvent;
  readonly #start: number;
  readonly #hash = new BucketHash();
  #count = 0;
  /** The sum is `#whole + #part`; the part is a number while that is exact. */
  #whole = 0n;
  #part = 0;
  #min: number;
  #max: number;

  constructor(first: PipelineEvent, start: number) {
    this.#first = first;
    this.#start = start;
    this.#min = first.value;
    this.#max = first.value;
  }

  add(event: PipelineEvent): void {
    this.#count += 1;
    const part = this.#part + event.value;
    if (Number.isSafeInteger(part)) this.#part = part;
    else {
      this.#whole += BigInt(this.#part);
      this.#part = event.value;
    }
    if (event.value < this.#min) this.#min = event.value;
    if (event.value > this.#max) this.#max = event.value;
    this.#hash.add(event);
  }

  delta(): BucketDelta {
    const { sourceId, key } = this.#first;
    return {
      sourceId,
      key,
      start: this.#start,
      count: this.#count,
      sum: this.#whole + BigInt(this.#part),
      min: this.#min,
      max: this.#max,
      hash: this.#hash.value(),
    };
  }
}

function inOrder(a: BucketDelta, b: BucketDelta): number {
  return byBytes(a.sourceId, b.sourceId) || a.start - b.start || byBytes(a.key, b.key);
}
