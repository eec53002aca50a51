/** Entries as records of Kafka: the value a JSON array (stream-entry-record.ts), the key the event's, so that other tools find it. */
import { type DeliveredEntry, type StreamEntry, StreamError } from '../../data-plane/ports.ts';
import { type EntryRecord, entryReader, publishedAtOf, recordOf } from '../stream-entry-record.ts';
import { offsetOf } from './place.ts';

export interface RecordToAppend {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface HeldRecord {
  readonly offset: number;
  readonly value: Buffer | null;
  /** The producer's, where its append brought one; on the append's last record. */
  readonly state: string | null;
}

export function appendable(entry: StreamEntry): RecordToAppend {
  return {
    key: Buffer.from(entry.type === 'event' ? entry.event.key : entry.backfillId),
    value: Buffer.from(JSON.stringify(recordOf(entry))),
  };
}

/**
 * `from`: the offset that the first of them must have.
 * Errors: {@link StreamError} `gap` when an entry is missing among them or before them, `stream_corrupt` for what Spillway has not written.
 */
export function entriesOf(
  records: readonly HeldRecord[],
  from: number,
  topicId: string,
): readonly DeliveredEntry[] {
  const entryOf = entryReader();
  return records.map((record, index) => {
    if (record.offset !== from + index)
      throw new StreamError(
        'gap',
        `entry ${from + index} was asked for; the topic holds entry ${record.offset} instead`,
      );
    return { offset: offsetOf(record.offset, topicId), entry: entryOf(recordIn(record)) };
  });
}

export function publishedAtIn(record: HeldRecord): number {
  return publishedAtOf(recordIn(record));
}

function recordIn({ offset, value }: HeldRecord): EntryRecord {
  const text = value?.toString() ?? '';
  if (text.startsWith('[')) {
    try {
      return JSON.parse(text) as EntryRecord;
    } catch {
      // Told below.
    }
  }
  throw new StreamError(
    'stream_corrupt',
    `the record at ${offset} was not written by Spillway: nothing else may write to its topics`,
  );
}
