/**
 * A durable stream on Kafka: one topic, one partition, shared by processes of any number of machines.
 *
 * An append is acknowledged by every replica that is in step. What survives is what the cluster promises: with `min.insync.replicas` of 2 or
 * more, and unclean elections off, the loss of a broker loses nothing. (docs/decisions/0013-kafka-streams.md)
 */
import type { DurableStream, GroupStats, StreamConsumer, StreamStats } from '../../data-plane/ports.ts';
import { addressOf } from './address.ts';
import { Cluster } from './cluster.ts';
import { consumerOf } from './consumer.ts';
import { publishedAtIn } from './entries.ts';
import { CommittedOffsets, type Ends, type GroupPlace } from './offsets.ts';
import { offsetOf } from './place.ts';
import { producerOf } from './producer.ts';
import { deleteBefore, fetch } from './protocol.ts';
import { checkCluster, type KafkaDanger, openTopic } from './topic.ts';

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
  const topic = await openTopic(cluster, address.replication, accepted).catch((error: unknown) => {
    cluster.close();
    throw error;
  });
  const offsets = new CommittedOffsets(cluster);
  const { producer, settle } = producerOf({ cluster, offsets, topicId: topic.id, now });
  const consumers = new Map<string, ReturnType<typeof consumerOf>>();

  function consumer(group: string): StreamConsumer {
    const known =
      consumers.get(group) ?? consumerOf({ cluster, offsets, group, topicId: topic.id, patienceMs });
    consumers.set(group, known);
    return known.consumer;
  }

  async function stats(): Promise<StreamStats> {
    // The groups before the end: they move on meanwhile, and none may seem to have finished more than there is.
    const groups = await offsets.groups(topic.isTrimmed, STATS);
    const { first, next } = await offsets.ends(STATS);
    const publishedAt = (offset: number) => publishedAtOf(cluster, offset, { first, next });
    return {
      length: next - first,
      // What Kafka tells of bytes is of whole segments, with what is trimmed in them.
      lengthBytes: first === next ? 0 : null,
      oldestPublishedAt: await publishedAt(first),
      lastOffset: next === 0 ? null : offsetOf(next - 1, topic.id),
      groups: await Promise.all(
        groups.map(async (group): Promise<GroupStats> => {
          const lag = lagOf(group, { first, next });
          const since = lag === null ? null : await publishedAt(next - lag);
          return {
            name: group.name,
            acknowledged: group.hasFinishedAny ? offsetOf(group.unfinished - 1, topic.id) : null,
            lagEntries: lag,
            lagMs: lag === 0 ? 0 : since === null ? null : Math.max(0, now() - since),
          };
        }),
      ),
      ...(topic.retention === undefined ? {} : { retention: topic.retention }),
    };
  }

  async function trim(): Promise<number> {
    const groups = await offsets.groups(topic.isTrimmed);
    const { first, next } = await offsets.ends();
    const before = trimmableBefore(groups, (await offsets.producerState())?.offset ?? null, next);
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
      for (const { close } of consumers.values()) close();
    },
  };
}

/** Whether a stream could be opened there, as far as the cluster goes. Errors as of {@link openKafkaStream}. */
export async function checkKafkaCluster({ url, patienceMs }: KafkaClusterOptions): Promise<void> {
  const cluster = new Cluster(addressOf(url), '', { patienceMs });
  try {
    await checkCluster(cluster);
  } finally {
    cluster.close();
  }
}

/** Null when the group has finished more than there is: it is of an earlier topic of this name, and what it lacks is not known. */
export function lagOf({ unfinished }: GroupPlace, { first, next }: Ends): number | null {
  return unfinished > next ? null : next - Math.max(first, unfinished);
}

/**
 * The first entry that must stay: nobody's before it, and none that the producer's state is on and nowhere else. A group whose place is not of
 * this topic holds everything, and so does having no group.
 */
export function trimmableBefore(
  groups: readonly GroupPlace[],
  stateKeptBefore: number | null,
  next: number,
): number {
  if (groups.length === 0) return 0;
  const places = groups.map(({ unfinished }) => (unfinished > next ? 0 : unfinished));
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
