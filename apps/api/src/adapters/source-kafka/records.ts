/** The records in what a fetch has answered: of transactions that were committed alone, and without what Kafka writes for itself. Pure. */
import { SourceError } from '../../data-plane/ports.ts';
import type { FetchedPartition } from '../stream-kafka/protocol.ts';

export interface TopicRecord {
  readonly offset: number;
  /** Epoch ms; of its producer or of the broker, as the topic is set up. */
  readonly timestamp: number;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
}

type Batch = NonNullable<FetchedPartition['records']>[number];

const BATCH_FORMAT = 2;
const IS_APPEND_TIME = 1 << 3;
const IS_TRANSACTIONAL = 1 << 4;
const IS_CONTROL = 1 << 5;
/** Type of a control record, behind two bytes of version. */
const ABORTS = 0;

/** `next`: where to fetch next; `from` itself when nothing came. Errors: `source_schema` for a format before Kafka 0.11. */
export function committedIn(
  { records: batches, abortedTransactions }: FetchedPartition,
  from: number,
): { readonly records: readonly TopicRecord[]; readonly next: number } {
  const aborted = (abortedTransactions ?? []).toSorted((one, other) =>
    one.firstOffset < other.firstOffset ? -1 : 1,
  );
  /** Producers in the middle of a transaction that will be aborted. */
  const aborting = new Set<bigint>();
  const records: TopicRecord[] = [];
  let next = from;
  for (const batch of batches ?? []) {
    if (batch.magic !== BATCH_FORMAT)
      throw new SourceError('source_schema', `the batch at offset ${batch.firstOffset} is of an old format`);
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    next = Math.max(next, Number(last) + 1);
    for (const first = () => aborted[0]; (first()?.firstOffset ?? last + 1n) <= last; aborted.shift())
      aborting.add((first() as { producerId: bigint }).producerId);
    if ((batch.attributes & IS_CONTROL) !== 0) {
      if (abortsTransaction(batch)) aborting.delete(batch.producerId);
      continue;
    }
    if ((batch.attributes & IS_TRANSACTIONAL) !== 0 && aborting.has(batch.producerId)) continue;
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta;
      // A batch is given out whole, also what lies before the place asked for.
      if (offset >= from)
        records.push({ offset, timestamp: timestampOf(batch, record), value: record.value });
    }
  }
  return { records, next };
}

function timestampOf(batch: Batch, { timestampDelta }: Batch['records'][number]): number {
  const isAppendTime = (batch.attributes & IS_APPEND_TIME) !== 0;
  return Number(isAppendTime ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta);
}

function abortsTransaction({ records: [control] }: Batch): boolean {
  const key = control?.key ?? null;
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORTS;
}
