/**
 * Reading by position, acknowledging in a consumer group that has no members.
 *
 * The port's position is the store's, committed with the data. So a read says after which place, and no broker shares the topic out: a
 * frozen consumer that wakes up takes no entry away from its successor. The group is where acknowledgements are kept, so that
 * every tool shows what is not applied yet.
 */
import {
  type DeliveredEntry,
  type StreamConsumer,
  StreamError,
  type StreamOffset,
} from '../../data-plane/ports.ts';
import { abortableRead } from '../stream-read.ts';
import { Cluster } from './cluster.ts';
import { entriesOf, type HeldRecord } from './entries.ts';
import type { CommittedOffsets } from './offsets.ts';
import { placeOf } from './place.ts';
import { fetch } from './protocol.ts';

/** A read that waits longer is several, so that a cut connection is noticed. */
const WAIT_MS = 500;
/** Of one answer; a larger batch comes whole. */
const FETCH_BYTES = 512 * 1024;

export interface ConsumerParts {
  /** The stream's own connections. Reads wait on others, or everything else would wait with them. */
  readonly cluster: Cluster;
  readonly offsets: CommittedOffsets;
  readonly group: string;
  readonly topicId: string;
  readonly patienceMs: number | undefined;
}

export function consumerOf({ cluster, offsets, group, topicId, patienceMs }: ConsumerParts): {
  readonly consumer: StreamConsumer;
  close(): void;
} {
  const { topic } = cluster;
  const reading = new Cluster(cluster.address, topic, { patienceMs });
  let begun: Promise<void> | null = null;
  /** What came with the last answer and was not asked for yet, from the entry that the next read asks for. */
  let ahead: { readonly from: number; readonly records: readonly HeldRecord[] } | null = null;

  function begin(): Promise<void> {
    begun ??= offsets.begin(group);
    begun.catch(() => void (begun = null));
    return begun;
  }

  /** A place that the last read did not lead to is checked, as what was trimmed may be on the brokers still. */
  async function placeToRead(after: StreamOffset | null): Promise<number> {
    const asked = after === null ? null : placeOf(after, topicId) + 1;
    if (asked !== null && asked === ahead?.from) return asked;
    const { first, next } = await offsets.ends();
    const from = asked ?? first;
    if (from < first || from > next)
      throw new StreamError('gap', `entry ${from} was asked for; ${topic} holds ${first} to before ${next}`);
    return from;
  }

  async function look(from: number, waitMs: number, signal: AbortSignal): Promise<readonly HeldRecord[]> {
    if (ahead?.from === from && ahead.records.length > 0) return ahead.records;
    return reading.run(
      'leader',
      (connection) => fetch(connection, topic, from, { waitMs, maxBytes: FETCH_BYTES }),
      { signal },
    );
  }

  async function read({
    after,
    maxEntries,
    waitMs,
    signal,
  }: Parameters<StreamConsumer['read']>[0]): Promise<readonly DeliveredEntry[]> {
    await begin();
    const from = await placeToRead(after);
    const untilMs = performance.now() + waitMs;
    while (!signal.aborted) {
      const remainingMs = Math.ceil(Math.max(0, untilMs - performance.now()));
      const records = await look(from, Math.min(remainingMs, WAIT_MS), signal);
      const asked = records.slice(0, maxEntries);
      const delivered = entriesOf(asked, from, topicId);
      ahead = { from: from + asked.length, records: records.slice(maxEntries) };
      if (delivered.length > 0 || performance.now() >= untilMs) return delivered;
    }
    return [];
  }

  return {
    consumer: {
      read: abortableRead(read, { stream: cluster, reading }),
      acknowledge: async (offset: StreamOffset) => {
        const place = placeOf(offset, topicId);
        await begin();
        const { next } = await offsets.ends();
        if (place >= next)
          throw new StreamError(
            'gap',
            `${group} acknowledges entry ${place}, but ${topic} ends before ${next}`,
          );
        await offsets.finish(group, place + 1);
      },
    },
    close: () => reading.close(),
  };
}
