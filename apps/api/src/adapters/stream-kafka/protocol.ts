/**
 * What is asked of Kafka, of one topic and its partition 0, each in one version of the protocol that every broker from 2.3 to 4.x speaks.
 * The library's own clients choose versions and retry by rules of theirs; an append needs ours (producer.ts), so only its protocol is used.
 */
import {
  ConfigResourceTypes,
  type Connection,
  createTopicsV4,
  deleteRecordsV1,
  describeConfigsV2,
  fetchV11,
  findCoordinatorV2,
  initProducerIdV1,
  listGroupsV2,
  listOffsetsV2,
  metadataV2,
  metadataV4,
  metadataV12,
  NumericMap,
  offsetCommitV7,
  offsetFetchV5,
  produceV7,
} from '@platformatic/kafka';
import { StreamError } from '../../data-plane/ports.ts';
import type { BrokerAddress } from '../../kafka-address.ts';
import type { HeldRecord, RecordToAppend } from './entries.ts';
import { answersIn } from './translate.ts';

/** The one partition that Spillway writes: the port's stream is one order of entries. */
export const PARTITION = 0;

const PRODUCE_TIMEOUT_MS = 3_000;
const ADMIN_TIMEOUT_MS = 3_000;
const NO_EPOCH = -1;
const IS_CONTROL = 1 << 5;
const IS_TRANSACTIONAL = 1 << 4;
/** Only batches of this format have producer ids and headers. */
const BATCH_FORMAT = 2;
const STATE_HEADER = 'spillway-producer';
const TOPIC_RESOURCE = ConfigResourceTypes.TOPIC;
const GROUP_KEY = 0;

// ---------------------------------------------------------------- what a broker can do

/** Newest version that a broker offers, by API key, with the oldest. */
export type Offered = ReadonlyMap<number, { readonly min: number; readonly max: number }>;

/** Kafka 2.8 gives topics an id; librdkafka's broker for tests knows the oldest only. */
const METADATA = [metadataV12, metadataV4, metadataV2];
const NEEDED = [
  produceV7,
  fetchV11,
  listOffsetsV2,
  offsetCommitV7,
  offsetFetchV5,
  findCoordinatorV2,
  initProducerIdV1,
];

function offers(
  offered: Offered,
  { key, version }: { readonly key: number; readonly version: number },
): boolean {
  const range = offered.get(key);
  return range !== undefined && range.min <= version && version <= range.max;
}

export interface Abilities {
  readonly enough: boolean;
  readonly createsTopics: boolean;
  readonly describesTopics: boolean;
  readonly listsGroups: boolean;
  readonly deletesRecords: boolean;
}

export function abilitiesOf(offered: Offered): Abilities {
  return {
    enough:
      NEEDED.every(({ api }) => offers(offered, api)) && METADATA.some(({ api }) => offers(offered, api)),
    createsTopics: offers(offered, createTopicsV4.api),
    describesTopics: offers(offered, describeConfigsV2.api),
    listsGroups: offers(offered, listGroupsV2.api),
    deletesRecords: offers(offered, deleteRecordsV1.api),
  };
}

// ---------------------------------------------------------------- who is where

type MetadataResponse = metadataV12.MetadataResponse;

export interface TopicPlan {
  readonly exists: boolean;
  readonly brokers: readonly (BrokerAddress & { readonly nodeId: number })[];
  readonly controller: BrokerAddress | null;
  /** Of partition 0; null while it is being elected. */
  readonly leader: BrokerAddress | null;
  readonly topicId: string;
  readonly partitions: readonly { readonly index: number; readonly leader: BrokerAddress | null }[];
}

/** Of the whole cluster, which it keeps. Null: it tells none. */
export async function clusterIdOf(connection: Connection, offered: Offered): Promise<string | null> {
  const { clusterId } = await metadataFor(offered).async(connection, [], false);
  return clusterId || null;
}

/** `create`: the broker may make the topic by itself, where it is set up so. */
export async function planOf(
  connection: Connection,
  offered: Offered,
  topic: string,
  create: boolean,
): Promise<TopicPlan> {
  const { brokers, controllerId, topics } = await metadataFor(offered)
    .async(connection, [topic], create)
    .catch((error: unknown) => withoutTopic(error));
  const brokerOf = (id: number) => brokers.find(({ nodeId }) => nodeId === id) ?? null;
  const found = topics.find(({ name, errorCode }) => name === topic && errorCode === 0);
  const partitions = (found?.partitions ?? []).map(({ partitionIndex, leaderId }) => ({
    index: partitionIndex,
    leader: brokerOf(leaderId),
  }));
  return {
    exists: found !== undefined,
    brokers,
    controller: brokerOf(controllerId),
    leader: partitions.find(({ index }) => index === PARTITION)?.leader ?? null,
    topicId: found?.topicId ?? '',
    partitions,
  };
}

function metadataFor(offered: Offered) {
  return (METADATA.find((one) => offers(offered, one.api)) ?? metadataV12).api;
}

/** That the topic is missing is an answer. */
function withoutTopic(error: unknown): MetadataResponse {
  const answers = answersIn(error);
  if (answers.length > 0 && answers.every((one) => one === 'UNKNOWN_TOPIC_OR_PARTITION'))
    return (error as { response: unknown }).response as MetadataResponse;
  throw error;
}

export async function coordinatorOf(connection: Connection, group: string): Promise<BrokerAddress> {
  const { coordinators } = await findCoordinatorV2.api.async(connection, GROUP_KEY, [group]);
  const [found] = coordinators;
  if (found === undefined) throw new StreamError('stream_unavailable', `no broker coordinates ${group}`);
  return { host: found.host, port: found.port };
}

// ---------------------------------------------------------------- entries

export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/** What lets the broker tell a repeated append from a new one. */
export async function newIdentity(connection: Connection): Promise<ProducerIdentity> {
  const { producerId, producerEpoch } = await initProducerIdV1.api.async(connection, null, 0);
  return { id: producerId, epoch: producerEpoch };
}

/**
 * One batch: all of it is written or nothing. With the same identity and sequence again it is written once, and the answer is the same.
 * Resolves with the first offset.
 */
export async function produce(
  connection: Connection,
  topic: string,
  batch: {
    readonly records: readonly RecordToAppend[];
    readonly state: string | undefined;
    readonly identity: ProducerIdentity;
    /** Records that this identity has appended before. */
    readonly sequence: number;
    /** Epoch ms. */
    readonly timestamp: number;
  },
): Promise<number> {
  const { records, state, identity, sequence } = batch;
  const timestamp = BigInt(batch.timestamp);
  const last = records.length - 1;
  const headers = new Map([[Buffer.from(STATE_HEADER), Buffer.from(state ?? '')]]);
  const messages = records.map(({ key, value }, index) => ({
    topic,
    partition: PARTITION,
    key,
    value,
    timestamp,
    ...(index === last && state !== undefined ? { headers } : {}),
  }));
  const allReplicas = -1;
  const answer = await produceV7.api.async(connection, allReplicas, PRODUCE_TIMEOUT_MS, messages, {
    producerId: identity.id,
    producerEpoch: identity.epoch,
    sequences: new NumericMap([[`${topic}:${PARTITION}`, sequence]]),
  });
  const written = typeof answer === 'boolean' ? undefined : answer.responses[0]?.partitionResponses[0];
  if (written === undefined)
    throw new StreamError('stream_unavailable', 'an append was answered with nothing');
  return offsetIn(written.baseOffset, 'an append');
}

export type FetchedPartition = Pick<fetchV11.FetchResponsePartition, 'records' | 'abortedTransactions'>;

/** What a fetch asks of one partition. */
export interface FetchRequest {
  readonly partition: number;
  readonly offset: number;
  readonly waitMs: number;
  readonly maxBytes: number;
  /** Not beyond the first transaction that is open, and with those that were aborted told. */
  readonly committedOnly: boolean;
}

/** Batches as they are, from the one that holds `offset` on, waiting up to `waitMs` for the first. */
export async function fetchPartition(
  connection: Connection,
  topic: string,
  { partition, offset, waitMs, maxBytes, committedOnly }: FetchRequest,
): Promise<FetchedPartition> {
  const from = {
    partition,
    currentLeaderEpoch: NO_EPOCH,
    lastFetchedEpoch: NO_EPOCH,
    fetchOffset: BigInt(offset),
    partitionMaxBytes: maxBytes,
  };
  const asked = [{ topicId: topic, partitions: [from] }];
  const isolation = Number(committedOnly);
  const answer = await fetchV11.api.async(
    connection,
    waitMs,
    1,
    maxBytes,
    isolation,
    0,
    NO_EPOCH,
    asked,
    [],
    '',
  );
  return answer.responses[0]?.partitions[0] ?? { records: null, abortedTransactions: null };
}

/** The records from `offset` on, waiting up to `waitMs` for the first. None when none came. */
export async function fetch(
  connection: Connection,
  topic: string,
  offset: number,
  limits: { readonly waitMs: number; readonly maxBytes: number },
): Promise<readonly HeldRecord[]> {
  const { records } = await fetchPartition(connection, topic, {
    partition: PARTITION,
    offset,
    committedOnly: false,
    ...limits,
  });
  const found: HeldRecord[] = [];
  for (const batch of records ?? []) {
    if (batch.magic !== BATCH_FORMAT || (batch.attributes & (IS_CONTROL | IS_TRANSACTIONAL)) !== 0)
      throw new StreamError(
        'stream_corrupt',
        `at ${batch.firstOffset} is a batch of a transaction or of an old format, which Spillway has not written`,
      );
    for (const record of batch.records) {
      const at = Number(batch.firstOffset) + record.offsetDelta;
      // A batch is given out whole, also what lies before the place asked for.
      if (at < offset) continue;
      const state = record.headers.find(([name]) => name?.toString() === STATE_HEADER)?.[1];
      found.push({ offset: at, value: record.value, state: state === undefined ? null : `${state ?? ''}` });
    }
  }
  return found;
}

// ---------------------------------------------------------------- ends

/** `earliest`: the first offset held; `latest`: the one that the next entry will have. */
export async function endOf(
  connection: Connection,
  topic: string,
  end: 'earliest' | 'latest',
  partition = PARTITION,
  committedOnly = false,
): Promise<number> {
  const timestamp = end === 'earliest' ? -2n : -1n;
  const offset = await listOffset(connection, topic, partition, timestamp, committedOnly);
  return offsetIn(offset, `the ${end} offset`);
}

/**
 * The first offset whose record has this timestamp (epoch ms) or a later one; null: there is none, or the broker does not know. Kafka answers
 * both with -1.
 */
export async function offsetAt(
  connection: Connection,
  topic: string,
  partition: number,
  at: number,
): Promise<number | null> {
  const offset = await listOffset(connection, topic, partition, BigInt(at), true);
  return offset === undefined || offset < 0n ? null : offsetIn(offset, 'the offset at a time');
}

async function listOffset(
  connection: Connection,
  topic: string,
  partition: number,
  timestamp: bigint,
  committedOnly: boolean,
): Promise<bigint | undefined> {
  const asked = [
    { name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: NO_EPOCH, timestamp }] },
  ];
  const { topics } = await listOffsetsV2.api.async(connection, -1, Number(committedOnly), asked);
  return topics[0]?.partitions[0]?.offset;
}

/** Kafka says -1 for what it does not know; that is no place, and above all not the beginning. */
function offsetIn(answer: bigint | undefined, what: string): number {
  const offset = Number(answer ?? -1n);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new StreamError('stream_unavailable', `${what} was answered with ${answer ?? 'nothing'}`);
  return offset;
}

// ---------------------------------------------------------------- committed offsets

export interface Committed {
  /** The first entry that is not finished. */
  readonly offset: number;
  readonly note: string;
}

export async function committedBy(
  connection: Connection,
  topic: string,
  group: string,
): Promise<Committed | null> {
  const asked = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [PARTITION] }] }];
  const { topics } = await offsetFetchV5.api.async(connection, asked, false);
  const found = topics[0]?.partitions[0];
  if (found === undefined || found.committedOffset < 0n) return null;
  return { offset: Number(found.committedOffset), note: found.metadata ?? '' };
}

/** Null also of a group that this user may not ask: who may describe the cluster is listed all there are. */
export async function committedByVisible(
  connection: Connection,
  topic: string,
  group: string,
): Promise<Committed | null> {
  try {
    return await committedBy(connection, topic, group);
  } catch (error) {
    if (answersIn(error).includes('GROUP_AUTHORIZATION_FAILED')) return null;
    throw error;
  }
}

/** As no member of the group: nobody is asked to share the topic out. */
export async function commit(
  connection: Connection,
  topic: string,
  group: string,
  { offset, note }: Committed,
): Promise<void> {
  const partition = {
    partitionIndex: PARTITION,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: NO_EPOCH,
    committedMetadata: note,
  };
  const noGeneration = -1;
  await offsetCommitV7.api.async(connection, group, noGeneration, '', null, [
    { name: topic, partitions: [partition] },
  ]);
}

/** Those that this broker coordinates, and that this user may see. */
export async function groupsAt(connection: Connection): Promise<readonly string[]> {
  const { groups } = await listGroupsV2.api.async(connection, [], []);
  return groups.map(({ groupId }) => groupId);
}

// ---------------------------------------------------------------- the topic

/** Kept until it is trimmed, on one partition. `replication` null: as the cluster says. */
export async function createTopic(
  connection: Connection,
  topic: string,
  replication: number | null,
): Promise<void> {
  const configs = [
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'retention.ms', value: '-1' },
    { name: 'retention.bytes', value: '-1' },
  ];
  const made = {
    name: topic,
    numPartitions: 1,
    replicationFactor: replication ?? -1,
    assignments: [],
    configs,
  };
  try {
    await createTopicsV4.api.async(connection, [made], ADMIN_TIMEOUT_MS, false);
  } catch (error) {
    // Another process was faster.
    if (!answersIn(error).includes('TOPIC_ALREADY_EXISTS')) throw error;
  }
}

export async function configurationOf(
  connection: Connection,
  topic: string,
): Promise<ReadonlyMap<string, string | null>> {
  const asked = {
    resourceType: TOPIC_RESOURCE,
    resourceName: topic,
    configurationKeys: ['cleanup.policy', 'retention.ms', 'retention.bytes'],
  };
  const { results } = await describeConfigsV2.api.async(connection, [asked]);
  return new Map(results[0]?.configs.map(({ name, value }) => [name, value ?? null]));
}

/** Everything before `offset` goes. */
export async function deleteBefore(connection: Connection, topic: string, offset: number): Promise<void> {
  const partitions = [{ partitionIndex: PARTITION, offset: BigInt(offset) }];
  await deleteRecordsV1.api.async(connection, [{ name: topic, partitions }], ADMIN_TIMEOUT_MS);
}
