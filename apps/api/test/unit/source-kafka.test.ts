/** What of a fetch is history: of transactions that were committed alone. */
import { expect, test } from 'vitest';
import { committedIn } from '../../src/adapters/source-kafka/records.ts';
import type { FetchedPartition } from '../../src/adapters/stream-kafka/protocol.ts';

type Batch = NonNullable<FetchedPartition['records']>[number];

const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
const APPEND_TIME = 1 << 3;

function batch(firstOffset: number, values: readonly (string | null)[], more: Partial<Batch> = {}): Batch {
  return {
    firstOffset: BigInt(firstOffset),
    length: 0,
    partitionLeaderEpoch: 0,
    magic: 2,
    crc: 0,
    attributes: 0,
    lastOffsetDelta: values.length - 1,
    firstTimestamp: 1_000n,
    maxTimestamp: 9_000n,
    producerId: -1n,
    producerEpoch: 0,
    firstSequence: 0,
    records: values.map((value, offsetDelta) => ({
      length: 0,
      attributes: 0,
      timestampDelta: BigInt(offsetDelta),
      offsetDelta,
      key: null,
      value: value === null ? null : Buffer.from(value),
      headers: [],
    })),
    ...more,
  };
}

const ofProducer = (id: number) => ({ producerId: BigInt(id), attributes: TRANSACTIONAL });

function control(offset: number, producer: number, type: 'abort' | 'commit'): Batch {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const made = batch(offset, [''], { producerId: BigInt(producer), attributes: TRANSACTIONAL | CONTROL });
  return { ...made, records: made.records.map((record) => ({ ...record, key })) };
}

const read = (records: readonly Batch[], aborted: [producer: number, first: number][] = [], from = 0) => {
  const { records: found, next } = committedIn(
    {
      records: [...records],
      abortedTransactions: aborted.map(([producer, first]) => ({
        producerId: BigInt(producer),
        firstOffset: BigInt(first),
      })),
    },
    from,
  );
  return { found: found.map(({ offset, value }) => `${offset} ${value}`), next };
};

test('batches are read from the place that was asked for, holes and tombstones included', () => {
  expect(read([batch(3, ['a', 'b', null]), batch(10, ['c'])], [], 4)).toEqual({
    found: ['4 b', '5 null', '10 c'],
    next: 11,
  });
  expect(read([], [], 4)).toEqual({ found: [], next: 4 });
});

test('aborted transactions are left out, those of the same producer before and after are not', () => {
  const log = [
    batch(0, ['one'], ofProducer(7)),
    control(1, 7, 'commit'),
    batch(2, ['no', 'no'], ofProducer(7)),
    batch(4, ['other'], ofProducer(8)),
    batch(5, ['no'], ofProducer(7)),
    control(6, 7, 'abort'),
    batch(7, ['plain']),
    batch(8, ['two'], ofProducer(7)),
    control(9, 7, 'commit'),
    control(10, 8, 'commit'),
  ];
  expect(read(log, [[7, 2]])).toEqual({ found: ['0 one', '4 other', '7 plain', '8 two'], next: 11 });
  // From the middle of the aborted one: the broker tells of it all the same.
  expect(read(log.slice(4), [[7, 2]], 5).found).toEqual(['7 plain', '8 two']);
});

test('timestamps are of the producer, or of the broker where the topic is set up so', () => {
  const times = (more: Partial<Batch>) =>
    committedIn({ records: [batch(0, ['a', 'b'], more)], abortedTransactions: null }, 0).records.map(
      ({ timestamp }) => timestamp,
    );
  expect(times({})).toEqual([1_000, 1_001]);
  expect(times({ attributes: APPEND_TIME })).toEqual([9_000, 9_000]);
});

test('a format before Kafka 0.11 is refused', () => {
  expect(() => read([batch(0, ['a'], { magic: 1 })])).toThrow(
    expect.objectContaining({ code: 'source_schema' }),
  );
});
