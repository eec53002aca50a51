/** The topic of a stream: made where it is missing, and looked at before it is trusted. */
import { StreamError, type StreamStats } from '../../data-plane/ports.ts';
import type { Cluster } from './cluster.ts';
import { configurationOf, createTopic, endOf, PARTITION, type TopicPlan } from './protocol.ts';

/**
 * What an operator may accept, by these names. `retention`: the topic is dropped from by size, or nobody says. `untrimmed`: what is
 * applied cannot be removed.
 */
export type KafkaDanger = 'retention' | 'untrimmed';

export interface Topic {
  readonly id: string;
  readonly retention: StreamStats['retention'];
  readonly accepted: StreamStats['accepted'];
  /** Whether what every group has finished is removed from the brokers. */
  readonly isTrimmed: boolean;
}

export interface TopicFacts {
  /** Null: nobody says. */
  readonly configuration: ReadonlyMap<string, string | null> | null;
  /** Records can be deleted, and it can be asked which groups there are. */
  readonly canBeTrimmed: boolean;
}

/**
 * Errors: {@link StreamError} `stream_refused` for a broker or a topic that cannot be, with a sentence for each thing that is wrong;
 * `stream_denied` when the topic is missing and may not be made; `stream_corrupt` when others write to it.
 */
export async function openTopic(
  cluster: Cluster,
  replication: number | null,
  accepted: readonly KafkaDanger[],
): Promise<Topic> {
  const { topic } = cluster;
  const abilities = await checkCluster(cluster);
  const { topicId, partitions } = await existing(cluster, abilities.createsTopics, replication);
  await checkOtherPartitions(cluster, partitions);
  const facts: TopicFacts = {
    configuration: abilities.describesTopics
      ? await cluster.run('any', (connection) => configurationOf(connection, topic))
      : null,
    canBeTrimmed: abilities.deletesRecords && abilities.listsGroups,
  };
  const found = objections(facts, accepted);
  if (found.length > 0)
    throw new StreamError(
      'stream_refused',
      `the topic ${topic} at ${cluster.address.shown} is refused: ${found.join(' Also, ')}`,
    );
  return {
    id: topicId,
    retention: retentionIn(facts),
    accepted: acceptedIn(facts, accepted),
    isTrimmed: facts.canBeTrimmed && !accepted.includes('untrimmed'),
  };
}

/** Errors: {@link StreamError} `stream_refused` for brokers that are too old or too new. */
export async function checkCluster(cluster: Cluster) {
  const abilities = await cluster.abilities();
  if (!abilities.enough)
    throw new StreamError(
      'stream_refused',
      `Kafka at ${cluster.address.shown} does not speak the protocol that streams need, which Kafka 2.3 to 4.x do`,
    );
  return abilities;
}

/** Errors: as of {@link checkCluster}; {@link StreamError} `stream_refused` for brokers that no topic can be trusted to. */
export async function checkAnyTopic(cluster: Cluster, accepted: readonly KafkaDanger[]): Promise<void> {
  const { describesTopics, deletesRecords, listsGroups } = await checkCluster(cluster);
  const found = objections(
    { configuration: describesTopics ? HARMLESS : null, canBeTrimmed: deletesRecords && listsGroups },
    accepted,
  );
  if (found.length > 0)
    throw new StreamError(
      'stream_refused',
      `a topic at ${cluster.address.shown} would be refused: ${found.join(' Also, ')}`,
    );
}

/** Of a topic that is not looked at. */
const HARMLESS = new Map([['retention.bytes', '-1']]);

export function objections(
  { configuration, canBeTrimmed }: TopicFacts,
  accepted: readonly KafkaDanger[],
): string[] {
  const found: string[] = [];
  const policy = configuration?.get('cleanup.policy') ?? 'delete';
  if (policy !== 'delete')
    found.push(`its cleanup.policy is ${policy}, so entries may be compacted away: set it to delete.`);
  if (!accepted.includes('retention') && isUncertain(configuration)) {
    if (configuration === null)
      found.push(
        'nobody says how long its entries are kept (DescribeConfigs): accept it with SPILLWAY_STREAM_ACCEPT=retention if they are kept until they are trimmed.',
      );
    else
      found.push(
        `its retention.bytes is ${configuration.get('retention.bytes') ?? 'unknown'}, and how near it is cannot be watched: set it to -1, or accept it with SPILLWAY_STREAM_ACCEPT=retention.`,
      );
  }
  if (!canBeTrimmed && !accepted.includes('untrimmed'))
    found.push(
      'nothing that is applied can be removed from it (DeleteRecords, ListGroups), so it grows until its retention: accept it with SPILLWAY_STREAM_ACCEPT=untrimmed.',
    );
  return found;
}

/** When entries go is not known: by size, and Kafka does not tell what they weigh, or nobody says. */
function isUncertain(configuration: TopicFacts['configuration']): boolean {
  return configuration?.get('retention.bytes') !== '-1';
}

export function retentionIn({ configuration }: TopicFacts): StreamStats['retention'] {
  const limit = (key: string) => {
    const value = Number(configuration?.get(key) ?? -1);
    return value < 0 ? null : value;
  };
  const [ms, bytes] = [limit('retention.ms'), limit('retention.bytes')];
  return ms === null && bytes === null ? undefined : { ms, entries: null, bytes };
}

/** What was accepted is told only of a topic that it is true of. */
export function acceptedIn(
  { configuration }: TopicFacts,
  accepted: readonly KafkaDanger[],
): StreamStats['accepted'] {
  const told = accepted.filter((danger) => danger === 'untrimmed' || isUncertain(configuration));
  return told.length === 0 ? undefined : told;
}

async function existing(cluster: Cluster, creates: boolean, replication: number | null): Promise<TopicPlan> {
  const { topic } = cluster;
  const before = await cluster.plan();
  if (before.exists) return before;
  if (creates)
    await cluster.run(before.controller === null ? 'any' : { broker: before.controller }, (connection) =>
      createTopic(connection, topic, replication),
    );
  // It takes a moment until every broker has heard of it. Who cannot be asked to make it may make it when asked about it.
  return cluster.run('any', async (connection) => {
    const plan = await cluster.planBy(connection, !creates);
    if (plan.leader !== null) return plan;
    throw new StreamError('stream_unavailable', `the topic ${topic} is missing, and has not been made yet`);
  });
}

async function checkOtherPartitions(cluster: Cluster, partitions: TopicPlan['partitions']): Promise<void> {
  for (const { index, leader } of partitions) {
    if (index === PARTITION) continue;
    const end = await cluster.run(leader === null ? 'leader' : { broker: leader }, (connection) =>
      endOf(connection, cluster.topic, 'latest', index),
    );
    if (end > 0)
      throw new StreamError(
        'stream_corrupt',
        `the topic ${cluster.topic} holds entries in partition ${index}: Spillway writes to partition ${PARTITION} only, and nothing else may write to its topics`,
      );
  }
}
