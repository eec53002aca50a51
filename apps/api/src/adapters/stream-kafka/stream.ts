/**
 * A durable stream on Kafka: one topic, one partition, shared by processes of any number of machines.
 *
 * An append is acknowledged by every replica that is in step. What survives is what the cluster promises: with `min.insync.replicas` of 2 or
 * more, and unclean elections off, the loss of a broker loses nothing. (docs/decisions/0013-kafka-streams.md)
 */
import type { DurableStream, GroupStats, StreamConsumer, StreamStats } from '../../data-plane/ports.ts';
import { addressOf } from '../../kafka-address.ts';
import { Cluster } from './cluster.ts';
import { consumerOf } from './consumer.ts';
import { publishedAtIn } from './entries.ts';
import { CommittedOffsets, type Ends, type GroupPlace } from './offsets.ts';
import { offsetOf } from './place.ts';
import { producerOf } from './producer.ts';
import { deleteBefore, fetch } from './protocol.ts';
import { checkAnyTopic, type KafkaDanger, openTopic } from './topic.ts';

export interface KafkaClusterOptions {
  /** See {@link addressOf}. */
  readonly url: string;
  /** How long a cluster that does not answer is asked again, ms. Default 5,000. */
  readonly patienceMs?: number | undefined;
}

export interface KafkaStreamOptions extends KafkaClusterOptions {
  /** Lower-case letters, digits and hyphens. The topic is `<prefix of the URL>.<name>`. */
  readonly name: string;
  /** Dangers of the topic's settings that the operator accepts. */
  readonly accepted?: readonly KafkaDanger[];
  /** Wall clock, epoch ms, for ages. */
  readonly now?: () => number;
}

/** Who asks how things stand wants to know it now, or that it is unknown. */
const STATS = { patienceMs: 1_000 };

/**
 * Errors: RangeError for a URL or a name that cannot be, {@link StreamError} `stream_unavailable`, `stream_denied`,
 * `stream_refused` when the topic's settings are not accepted, `stream_corrupt` when others write to it.
 */
export async function openKafkaStream(options: KafkaStreamOptions): Promise<DurableStream> {
  const { name, accepted = [], patienceMs, now = Date.now } = options;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new RangeError(`not a name for a stream: ${name}`);
  const address = addressOf(options.url);
  const cluster = new Cluster(address, `${address.prefix}.${name}`, { patienceMs });
  // A broker answers a connection in order: nothing else waits behind a listing of all groups.
  const listing = new Cluster(address, cluster.topic, { patienceMs });
  const topic = await openTopic(cluster, address.replication, accepted).catch((error: unknown) => {
    cluster.close();
    throw error;
  });
  const offsets = new CommittedOffsets(cluster, listing);
  const { producer, settle } = producerOf({ cluster, offsets, topicId: topic.id, now });
  const consumers = new Map<string, ReturnType<typeof consumerOf>>();

  function consumer(group: string): StreamConsumer {
    const known =
      consumers.get(group) ?? consumerOf({ cluster, offsets, group, topicId: topic.id, patienceMs });
    consumers.set(group, known);
    return known.consumer;
  }

  async function stats(group: string): Promise<StreamStats> {
    // The group before the end: it moves on meanwhile, and may not seem to have finished more than there is.
    const place = await offsets.placeOf(group, STATS);
    const ends = await offsets.ends(STATS);
    const { first, next } = ends;
    return {
      length: next - first,
      // What Kafka tells of bytes is of whole segments, with what is trimmed in them.
      lengthBytes: first === next ? 0 : null,
      oldestPublishedAt: await publishedAtOf(cluster, first, ends),
      lastOffset: next === 0 ? null : offsetOf(next - 1, topic.id),
      group: place === null ? null : await groupAt(place, ends),
      ...(topic.retention === undefined ? {} : { retention: topic.retention }),
      ...(topic.accepted === undefined ? {} : { accepted: topic.accepted }),
    };
  }

  async function groupAt({ unfinished, hasFinishedAny }: GroupPlace, ends: Ends): Promise<GroupStats> {
    const lag = lagOf(unfinished, ends);
    const since = lag === null ? null : await publishedAtOf(cluster, ends.next - lag, ends);
    return {
      acknowledged: hasFinishedAny ? offsetOf(unfinished - 1, topic.id) : null,
      lagEntries: lag,
      lagMs: lag === 0 ? 0 : since === null ? null : Math.max(0, now() - since),
    };
  }

  async function trim(): Promise<number> {
    const unfinished = await offsets.unfinished(topic.isTrimmed);
    const { first, next } = await offsets.ends();
    const before = trimmableBefore(unfinished, (await offsets.producerState())?.offset ?? null, next);
    if (before <= first) return 0;
    await offsets.markTrimmed(before);
    if (topic.isTrimmed)
      await cluster.run('leader', (connection) => deleteBefore(connection, cluster.topic, before));
    return before - first;
  }

  return {
    name,
    reach: address.reach,
    producer,
    consumer,
    stats,
    trim,
    close: async () => {
      if (!cluster.closed) await settle().catch(() => undefined);
      cluster.close();
      listing.close();
      for (const { close } of consumers.values()) close();
    },
  };
}

/** Whether a stream could be opened there, as far as the cluster goes. Errors as of {@link openKafkaStream}. */
export async function checkKafkaCluster({
  url,
  accepted = [],
  patienceMs,
}: KafkaClusterOptions & Pick<KafkaStreamOptions, 'accepted'>): Promise<void> {
  const cluster = new Cluster(addressOf(url), '', { patienceMs });
  try {
    await checkAnyTopic(cluster, accepted);
  } finally {
    cluster.close();
  }
}

/** Of a group that has finished what is before `unfinished`. Null when that is more than there is: it is of an earlier topic of this name, and what it lacks is not known. */
export function lagOf(unfinished: number, { first, next }: Ends): number | null {
  return unfinished > next ? null : next - Math.max(first, unfinished);
}

/**
 * The first entry that must stay: nobody's before it, and none that the producer's state is on and nowhere else. A group whose place is not of
 * this topic holds everything, and so does having no group. `unfinished`: of every group, the first entry that it has not finished.
 */
export function trimmableBefore(
  unfinished: readonly number[],
  stateKeptBefore: number | null,
  next: number,
): number {
  if (unfinished.length === 0) return 0;
  const places = unfinished.map((place) => (place > next ? 0 : place));
  return Math.min(...places, stateKeptBefore ?? next);
}

async function publishedAtOf(
  cluster: Cluster,
  offset: number,
  { first, next }: Ends,
): Promise<number | null> {
  if (offset < first || offset >= next) return null;
  const [record] = await cluster.run(
    'leader',
    (connection) => fetch(connection, cluster.topic, offset, { waitMs: 0, maxBytes: 1 }),
    STATS,
  );
  return record === undefined ? null : publishedAtIn(record);
}
