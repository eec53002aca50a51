import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketDeltas } from '../../src/data-plane/apply/bucket-delta.ts';
import { BucketHash, eventHash } from '../../src/data-plane/apply/bucket-hash.ts';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import { StoreOracle, slowEventHash } from '../conformance/store/store-oracle.ts';

describe('the bucket hash', () => {
  it('is the low half of the digest, most significant digit first', () => {
    // From another program: printf 'Hello\x1f1' | md5sum
    expect(eventHash({ id: 'Hello', value: 1 })).toBe(0x941ebaac04f59b2en);
    expect(eventHash({ id: 'Hello', value: 1 })).not.toBe(eventHash({ id: 'Hello1', value: 1 }));
  });

  it('equals a slow one for any text and number', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), (id, value) => {
        expect(eventHash({ id, value })).toBe(slowEventHash(id, value));
      }),
    );
  });

  it('adds up modulo 2^64, and pairs do not cancel', () => {
    const events = fc.array(fc.record({ id: fc.string(), value: fc.integer() }), { maxLength: 200 });
    fc.assert(
      fc.property(events, (list) => {
        const hash = new BucketHash();
        for (const event of list) hash.add(event);
        expect(hash.value()).toBe(
          list.reduce((sum, { id, value }) => sum + slowEventHash(id, value), 0n) % 2n ** 64n,
        );
      }),
    );
    const pair = new BucketHash();
    pair.add({ id: 'a', value: 1 });
    pair.add({ id: 'a', value: 1 });
    expect(pair.value()).not.toBe(0n);
  });
});

describe('bucket deltas', () => {
  it('equal the oracle of the store, in the order of (source, start, key), whatever the order of the events', () => {
    const value = fc.oneof(
      fc.integer({ min: -9, max: 9 }),
      fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
    );
    const event = fc.record({
      number: fc.nat(),
      sourceId: fc.constantFrom('west', 'east'),
      key: fc.constantFrom('LAX', '', 'ORD'),
      at: fc.integer({ min: 0, max: 10_000_000 }),
      value,
    });
    fc.assert(
      fc.property(fc.array(event), (list) => {
        const events: PipelineEvent[] = list.map((one, index) => ({
          id: `e${index}`,
          sourceId: one.sourceId,
          key: one.key,
          at: one.at,
          value: one.value,
        }));
        const oracle = new StoreOracle();
        oracle.apply({ kind: 'live' }, events);
        const expected = oracle
          .buckets()
          .sort((a, b) =>
            a.sourceId < b.sourceId
              ? -1
              : a.sourceId > b.sourceId
                ? 1
                : a.start - b.start || (a.key < b.key ? -1 : 1),
          );
        const deltas = bucketDeltas(events, 3_600_000).map((delta) => ({
          ...delta,
          sum: String(delta.sum),
          hash: String(delta.hash),
          version: 1,
        }));
        expect(deltas).toEqual(expected);
      }),
    );
  });
});
