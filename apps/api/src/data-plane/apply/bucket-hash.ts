/**
 * The content hash of a bucket: Σ over its events of h(event), mod 2⁶⁴, where h is the low 64 bits of
 *
 *     MD5(id ‖ 0x1f ‖ decimal value)
 *
 * that is, the last 16 hexadecimal digits of the digest, read as an unsigned number. A sum does not depend on order, and
 * unlike XOR it does not lose pairs; MD5 is what PostgreSQL and DuckDB both compute, and nobody attacks it here.
 *
 *     PostgreSQL   ('x' || right(md5(id || chr(31) || value), 16))::bit(64)   (as bigint it is signed: mod 2⁶⁴ mends that)
 *     DuckDB       ('0x' || right(md5(id || chr(31) || value), 16))::ubigint  (md5_number_lower reverses the bytes: not this)
 */
import { hash } from 'node:crypto';

const MODULUS = 1n << 64n;

export interface HashedEvent {
  readonly id: string;
  /** A safe integer. */
  readonly value: number;
}

/** h(event), 0 ≤ h < 2⁶⁴. */
export function eventHash(event: HashedEvent): bigint {
  return BigInt(`0x${digestOf(event).slice(16)}`);
}

/**
 * Σ of event hashes, kept in two halves because adding BigInts for every event costs more than the digest.
 * Each half stays exact for 2²¹ events, far beyond any batch.
 */
export class BucketHash {
  #high = 0;
  #low = 0;

  add(event: HashedEvent): void {
    const digest = digestOf(event);
    this.#high += Number.parseInt(digest.slice(16, 24), 16);
    this.#low += Number.parseInt(digest.slice(24), 16);
  }

  /** 0 ≤ hash < 2⁶⁴. */
  value(): bigint {
    return ((BigInt(this.#high) << 32n) + BigInt(this.#low)) % MODULUS;
  }
}

function digestOf(event: HashedEvent): string {
  return hash('md5', `${event.id}\x1f${event.value}`, 'hex');
}
