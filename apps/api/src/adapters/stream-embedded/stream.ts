/**
 * The embedded log: a durable stream in a folder, shared by several processes of one machine. Nothing to install.
 *
 * Every verb is a short synchronous transaction, so a promise here is already settled when it is returned; only a read
 * that found nothing waits, by looking again. Looking costs some microseconds (one page of the memory map), so it is done after
 * 1 ms, then less often, up to every 4 ms. That is also how soon a waiting read notices its signal.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import {
  type DeliveredEntry,
  type DurableStream,
  type GroupStats,
  type StreamConsumer,
  StreamError,
  type StreamProducer,
  type StreamStats,
} from '../../data-plane/ports.ts';
import { entryReader, publishedAtOf, recordOf } from '../stream-entry-record.ts';
import { Environment, type Snapshot } from './environment.ts';
import { offsetOf, sequenceOf } from './offset.ts';

export interface EmbeddedStreamOptions {
  /** The folder of all embedded streams; this one lives in `directory/name`. Not on a network file system. */
  readonly directory: string;
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Entries held, encoded; an append beyond it is refused with `stream_full`. Default 8 GiB. The same in every process. */
  readonly maxBytes?: number;
  /** See environment.ts. Default `crash`. The same in every process that opens the stream. */
  readonly survives?: 'crash' | 'power-loss';
  /** Wall clock, epoch ms, for ages. */
  readonly now?: () => number;
}

/** Entries that one trimming transaction removes: about 1 ms of the write lock. */
const TRIM_PIECE_ENTRIES = 1000;
const FIRST_LOOK_MS = 1;
const SLOWEST_LOOK_MS = 4;

/** Errors: {@link StreamError} `stream_unavailable`, also for a folder that cannot be used. */
export async function openEmbeddedStream(options: EmbeddedStreamOptions): Promise<DurableStream> {
  const { directory, name, maxBytes = 8 * 2 ** 30, survives = 'crash', now = Date.now } = options;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new RangeError(`not a name for a stream: ${name}`);
  const environment = new Environment({
    directory,
    name,
    mapBytes: Math.max(2 ** 30, 2 * maxBytes),
    survives,
  });

  return {
    name,
    reach: 'local',
    producer: producerOf(environment, maxBytes),
    consumer: (group) => consumerOf(environment, group),
    stats: async (group) => environment.fresh((snapshot) => statsOf(snapshot, group, now())),
    trim: () => trim(environment),
    close: () => environment.close(),
  };
}

function producerOf(environment: Environment, maxBytes: number): StreamProducer {
  return {
    append: async (entries, producerState) => {
      if (entries.length === 0) throw new RangeError('an append needs an entry');
      const encoded = entries.map((entry) => environment.encode(recordOf(entry)));
      const addedBytes = encoded.reduce((sum, bytes) => sum + bytes.length, 0);
      return environment.write((transaction) => {
        const { first, next, lengthBytes } = transaction.head();
        if (lengthBytes + addedBytes > maxBytes)
          throw new StreamError(
            'stream_full',
            `${lengthBytes} bytes held, ${addedBytes} more are over the limit of ${maxBytes}`,
          );
        for (let index = 0; index < encoded.length; index++)
          transaction.append(next + index, encoded[index] as Buffer);
        transaction.putHead({ first, next: next + encoded.length, lengthBytes: lengthBytes + addedBytes });
        if (producerState !== undefined) transaction.putProducerState(producerState);
        return {
          firstOffset: offsetOf(next),
          lastOffset: offsetOf(next + encoded.length - 1),
          bytes: addedBytes,
        };
      });
    },
    producerState: async () => environment.fresh((snapshot) => snapshot.producerState()),
    keepState: async (producerState) =>
      environment.write((transaction) => transaction.putProducerState(producerState)),
    length: async () =>
      environment.fresh((snapshot) => {
        const { first, next } = snapshot.head();
        return next - first;
      }),
  };
}

function consumerOf(environment: Environment, group: string): StreamConsumer {
  let created = false;
  const create = (): void => {
    if (created) return;
    environment.write((transaction) => {
      if (transaction.acknowledged(group) === undefined) transaction.putAcknowledged(group, null);
    });
    created = true;
  };

  return {
    read: async ({ after, maxEntries, waitMs, signal }) => {
      create();
      const until = performance.now() + waitMs;
      for (let lookMs = FIRST_LOOK_MS; !signal.aborted; lookMs = Math.min(lookMs * 2, SLOWEST_LOOK_MS)) {
        const entries = environment.fresh((snapshot) => entriesAfter(snapshot, after, maxEntries));
        const remainingMs = until - performance.now();
        if (entries.length > 0 || remainingMs <= 0) return entries;
        await pause(Math.min(lookMs, remainingMs));
        if (environment.closed) break;
      }
      return [];
    },
    acknowledge: async (offset) => {
      create();
      const sequence = sequenceOf(offset);
      environment.write((transaction) => {
        const { next } = transaction.head();
        if (sequence >= next)
          throw new StreamError(
            'gap',
            `${group} acknowledges ${offset}, but the stream ends before ${offsetOf(next)}`,
          );
        if (sequence > (transaction.acknowledged(group) ?? 0)) transaction.putAcknowledged(group, sequence);
      });
    },
  };
}

function entriesAfter(
  snapshot: Snapshot,
  after: string | null,
  maxEntries: number,
): readonly DeliveredEntry[] {
  const { first, next } = snapshot.head();
  const from = after === null ? first : sequenceOf(after) + 1;
  if (from < first)
    throw new StreamError(
      'gap',
      `entries from ${offsetOf(from)} on were asked for; the oldest held is ${offsetOf(first)}`,
    );
  // A position that this stream never gave out: another stream's, or this one has lost its end. Waiting would skip what comes next.
  if (from > next)
    throw new StreamError(
      'gap',
      `entries from ${offsetOf(from)} on were asked for; the stream ends before ${offsetOf(next)}`,
    );
  if (from === next) return [];
  const entryOf = entryReader();
  return snapshot
    .records(from, maxEntries)
    .map((record, index) => ({ offset: offsetOf(from + index), entry: entryOf(record) }));
}

function statsOf(snapshot: Snapshot, group: string, nowMs: number): StreamStats {
  const { first, next, lengthBytes } = snapshot.head();
  const acknowledged = snapshot.acknowledged(group);
  const publishedAt = (sequence: number): number | null => {
    const record = snapshot.record(sequence);
    return record ? publishedAtOf(record) : null;
  };
  const groupAt = (finished: number | null): GroupStats => {
    const pending = Math.max(first, (finished ?? 0) + 1);
    const oldest = publishedAt(pending);
    return {
      acknowledged: finished === null ? null : offsetOf(finished),
      lagEntries: next - pending,
      lagMs: oldest === null ? 0 : Math.max(0, nowMs - oldest),
    };
  };
  return {
    length: next - first,
    lengthBytes,
    oldestPublishedAt: publishedAt(first),
    lastOffset: next === 1 ? null : offsetOf(next - 1),
    group: acknowledged === undefined ? null : groupAt(acknowledged),
  };
}

/** Removes what every group has acknowledged, in pieces, so that an append or a live event never waits long for the lock or the loop. */
async function trim(environment: Environment): Promise<number> {
  environment.forgetDeadReaders();
  let removed = 0;
  while (!environment.closed) {
    const piece = trimPiece(environment);
    removed += piece;
    if (piece < TRIM_PIECE_ENTRIES) break;
    await nextTurn();
  }
  return removed;
}

function trimPiece(environment: Environment): number {
  const finishedBy = (snapshot: Snapshot): number => {
    const groups = snapshot.groups();
    return groups.length === 0 ? 0 : Math.min(...groups.map((acknowledged) => acknowledged ?? 0));
  };
  const nothing = environment.fresh((snapshot) => finishedBy(snapshot) < snapshot.head().first);
  if (nothing) return 0;
  return environment.write((transaction) => {
    const { first, next, lengthBytes } = transaction.head();
    const count = Math.min(TRIM_PIECE_ENTRIES, finishedBy(transaction) - first + 1);
    if (count <= 0) return 0;
    let removedBytes = 0;
    for (let sequence = first; sequence < first + count; sequence++)
      removedBytes += transaction.remove(sequence);
    transaction.putHead({ first: first + count, next, lengthBytes: lengthBytes - removedBytes });
    return count;
  });
}
