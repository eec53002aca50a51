import { fileURLToPath } from 'node:url';
import { Connection, metadataV2, offsetCommitV7, produceV7, Reader } from '@platformatic/kafka';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kafkaIdentity } from '../../../src/adapters/stream-kafka/identity.ts';
import {
  checkKafkaCluster,
  type KafkaStreamOptions,
  openKafkaStream,
} from '../../../src/adapters/stream-kafka/stream.ts';
import type { KafkaDanger } from '../../../src/adapters/stream-kafka/topic.ts';
import type { DurableStream } from '../../../src/data-plane/ports.ts';
import {
  authenticateAnswer,
  configsAnswer,
  createTopicsAnswer,
  deleteRecordsAnswer,
  handshakeAnswer,
  listGroupsAnswer,
  listOffsetsAnswer,
  metadataAnswer,
  offsetsRefused,
  produceAnswer,
} from '../../fixtures/kafka-answers.ts';
import { type KafkaFront, startFront } from '../../fixtures/kafka-front.ts';
import { type KafkaServer, startKafka } from '../../fixtures/kafka-server.ts';
import { freePort } from '../../fixtures/redis-server.ts';
import { liveEvents } from './entries.ts';
import { open, prepare, SERVER_URL } from './kafka.adapter.ts';
import { streamConformance } from './stream-conformance.ts';

const NEVER = new AbortController().signal;
const QUICK = { patienceMs: 200 };
const ASK = { maxEntries: 10, waitMs: 0, signal: NEVER };

/** Numbers of the protocol. */
const API = {
  produce: 0,
  listOffsets: 2,
  metadata: 3,
  offsetFetch: 9,
  saslHandshake: 17,
  createTopics: 19,
  deleteRecords: 21,
  initProducerId: 22,
  listGroups: 16,
  describeConfigs: 32,
  saslAuthenticate: 36,
} as const;
const ERROR = {
  unknownTopic: 3,
  topicDenied: 29,
  groupDenied: 30,
  unsupportedMechanism: 33,
  outOfOrder: 45,
  wrongPassword: 58,
} as const;

let server: KafkaServer;

beforeAll(async () => {
  server = await startKafka();
  process.env[SERVER_URL] = server.url;
});
afterAll(() => server?.stop());

streamConformance('kafka stream', fileURLToPath(new URL('kafka.adapter.ts', import.meta.url)));

let cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  cleanups = [];
});

async function opened(opening: Promise<DurableStream>): Promise<DurableStream> {
  const stream = await opening;
  cleanups.push(() => stream.close());
  return stream;
}

describe('kafka stream: its own', () => {
  test('a position beyond the end is a gap, and so is one of another backbone', async () => {
    const stream = await opened(open(await prepare()));
    const { lastOffset } = await stream.producer.append(liveEvents('e', 3));
    const consumer = stream.consumer('reader');
    const beyond = lastOffset.replace('2k', '3k');
    await expect(consumer.read({ ...ASK, after: beyond })).rejects.toMatchObject({ code: 'gap' });
    await expect(consumer.acknowledge(beyond)).rejects.toMatchObject({ code: 'gap' });
    for (const foreign of ['0000000000000001', '0000000000000001-1700000000000'])
      await expect(consumer.read({ ...ASK, after: foreign })).rejects.toMatchObject({ code: 'gap' });
    expect(await consumer.read({ ...ASK, after: lastOffset })).toEqual([]);
  });

  test('what the retention of the topic removed is a gap, for who was reading it and for who comes back to it', async () => {
    const place = await prepare();
    const stream = await opened(open(place));
    const fill = async () => {
      for (let batch = 0; batch < 12; batch++) await stream.producer.append(liveEvents('e', 10_000));
    };
    await stream.producer.append(liveEvents('first', 20));
    const reader = stream.consumer('reader');
    const [last] = (await reader.read({ ...ASK, maxEntries: 1, after: null })).slice(-1);
    // The rest of the first answer is still at hand; what comes after it is not.
    const ahead = await reader.read({ ...ASK, maxEntries: 100, after: last?.offset ?? null });
    await fill();
    const stats = await stream.stats('reader');
    expect(stats.length).toBeGreaterThan(0);
    expect(stats.length).toBeLessThan(120_000);
    await expect(reader.read({ ...ASK, after: ahead.at(-1)?.offset ?? null })).rejects.toMatchObject({
      code: 'gap',
    });
    const again = await opened(open(place));
    await expect(
      again.consumer('reader').read({ ...ASK, after: last?.offset ?? null }),
    ).rejects.toMatchObject({ code: 'gap' });
    expect(stats.group).toMatchObject({ lagEntries: stats.length });
    expect(await again.consumer('other').read({ ...ASK, after: null })).toHaveLength(10);
  });

  test('what somebody else has written is corrupt, also in a partition that is not used', async () => {
    const place = await prepare();
    const stream = await opened(open(place));
    const raw = await connected(server.port);
    const write = (partition: number) =>
      produceV7.api.async(raw, -1, 1_000, [
        {
          topic: topicOf(place),
          partition,
          key: Buffer.from('k'),
          value: Buffer.from('hello'),
          timestamp: 1n,
        },
      ]);
    await write(0);
    await expect(stream.consumer('reader').read({ ...ASK, after: null })).rejects.toMatchObject({
      code: 'stream_corrupt',
    });
    await write(2);
    await expect(open(place)).rejects.toMatchObject({
      code: 'stream_corrupt',
      message: expect.stringContaining('partition 2'),
    });
  });

  test("the producer's state is found behind a killed producer, among what others have appended since", async () => {
    const place = await prepare();
    const [killed, other, later] = [
      await opened(open(place)),
      await opened(open(place)),
      await opened(open(place)),
    ];
    for (const row of ['1', '2', '3']) await killed.producer.append(liveEvents('e', 2), row);
    await other.producer.append(liveEvents('f', 1_000));
    expect(await later.producer.producerState()).toBe('3');
  });

  test('a broker that neither trims nor tells its retention is refused unless both are accepted by name', async () => {
    const place = await prepare();
    const refused = openKafkaStream({ url: place, name: 'live' });
    await expect(refused).rejects.toMatchObject({ code: 'stream_refused' });
    await expect(refused).rejects.toThrow(
      /SPILLWAY_STREAM_ACCEPT=retention.*SPILLWAY_STREAM_ACCEPT=untrimmed/,
    );
    await expect(
      openKafkaStream({ url: place, name: 'live', accepted: ['retention'] }),
    ).rejects.toMatchObject({ code: 'stream_refused' });
  });

  test('nobody there, or nobody of that name, is unavailable once patience is over; one broker of several is enough', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    await expect(
      openKafkaStream({ url: `kafka://me:canary@${dead}`, name: 'live', ...QUICK }),
    ).rejects.toMatchObject({
      code: 'stream_unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:\d+ cannot be reached: nothing listens there/),
    });
    await expect(
      openKafkaStream({ url: 'kafka://no-such-host.invalid', name: 'live', ...QUICK }),
    ).rejects.toMatchObject({ code: 'stream_unavailable' });
    const accepted = ['retention', 'untrimmed'] as const;
    await checkKafkaCluster({ url: `kafka://${dead},127.0.0.1:${server.port}`, accepted });
  });

  test('brokers that no topic can be trusted to are refused before there is one', async () => {
    const check = (...accepted: readonly KafkaDanger[]) => checkKafkaCluster({ url: server.url, accepted });
    await expect(check()).rejects.toMatchObject({
      code: 'stream_refused',
      message: expect.stringMatching(/SPILLWAY_STREAM_ACCEPT=retention.*SPILLWAY_STREAM_ACCEPT=untrimmed/),
    });
    await expect(check('retention')).rejects.toMatchObject({ code: 'stream_refused' });
    await expect(check('untrimmed')).rejects.toMatchObject({ code: 'stream_refused' });
    await check('retention', 'untrimmed');
  });

  test('a name is not a topic, and an address is checked', async () => {
    for (const name of ['', '..', 'a:b', 'Live'])
      await expect(openKafkaStream({ url: server.url, name })).rejects.toThrow(RangeError);
    await expect(openKafkaStream({ url: 'kafka://', name: 'live' })).rejects.toThrow(RangeError);
  });
});

describe('kafka stream: at the edge of the protocol, where the broker of the tests can do less than a real one', () => {
  let front: KafkaFront;
  let place: string;

  beforeEach(async () => {
    front = await startFront(server.port);
    cleanups.push(() => front.close());
    place = (await prepare()).replace(String(server.port), String(front.port));
  });

  const openHere = (options: Partial<KafkaStreamOptions> = {}): Promise<DurableStream> =>
    opened(openKafkaStream({ url: place, name: 'live', accepted: ['retention', 'untrimmed'], ...options }));

  test('an append whose answer was lost is sent again to the byte, as the same of the same producer', async () => {
    const stream = await openHere();
    await stream.producer.append(liveEvents('e', 5), '5');
    front.loseNextAnswer(API.produce);
    await stream.producer.append(liveEvents('e', 5, 5), '10');
    await stream.producer.append(liveEvents('e', 5, 10), '15');
    const [first, second, again, third] = front.asked(API.produce);
    expect(again?.equals(second as Buffer)).toBe(true);
    expect([first, second, third].map((one) => sequenceIn(one as Buffer))).toEqual([0, 5, 10]);
    expect(front.asked(API.initProducerId)).toHaveLength(1);
  });

  test('who has been lost count of is told so once, and goes on as another producer', async () => {
    const stream = await openHere();
    await stream.producer.append(liveEvents('e', 5));
    front.answer(API.produce, 7, () => produceAnswer(topicOf(place), ERROR.outOfOrder));
    await expect(stream.producer.append(liveEvents('f', 5))).rejects.toMatchObject({
      code: 'stream_unavailable',
      message: expect.stringContaining('not known whether the append has been done'),
    });
    expect(front.asked(API.produce)).toHaveLength(2);
    await stream.producer.append(liveEvents('f', 5)).catch(() => undefined);
    expect(front.asked(API.initProducerId)).toHaveLength(2);
    expect(sequenceIn(front.asked(API.produce).at(-1) as Buffer)).toBe(0);
  });

  test('a reader goes on where all connections were lost, though the brokers go by other names than the ones it was given', async () => {
    const stream = await openHere({ url: place.replace('127.0.0.1', 'localhost') });
    const { lastOffset } = await stream.producer.append(liveEvents('e', 5));
    const consumer = stream.consumer('reader');
    expect(await consumer.read({ ...ASK, after: null })).toHaveLength(5);
    front.cut();
    await stream.producer.append(liveEvents('f', 5));
    expect(await consumer.read({ ...ASK, after: lastOffset })).toHaveLength(5);
  });

  test('an offset that is answered with -1 is unknown, and no place to read from', async () => {
    const stream = await openHere(QUICK);
    await stream.producer.append(liveEvents('e', 5));
    front.answer(API.listOffsets, 5, () => listOffsetsAnswer(topicOf(place), -1n));
    const consumer = stream.consumer('reader');
    for (const ask of [() => stream.producer.length(), () => consumer.read({ ...ASK, after: null })])
      await expect(ask()).rejects.toMatchObject({
        code: 'stream_unavailable',
        message: expect.stringContaining('answered with -1'),
      });
  });

  test('streams of a cluster and a prefix have one identity, that of the cluster; where it tells none they have none', async () => {
    const at = (prefix: string) => kafkaIdentity({ url: `${front.url}/${prefix}`, ...QUICK });
    const name = `topics one.* of Kafka at 127.0.0.1:${front.port}`;
    const byBroker = await at('one');
    if (byBroker !== null) expect(byBroker).toEqual({ id: expect.stringMatching(/.+\/one$/), name });
    front.answer(API.metadata, 4, () => metadataAnswer('any', front.port, 0));
    expect(await at('one')).toEqual({ id: 'cluster/one', name });
    expect((await at('other'))?.id).toBe('cluster/other');
    front.answer(API.metadata, 4, () => metadataAnswer('any', front.port, 0, ''));
    expect(await at('one')).toBeNull();
  });

  test('a missing topic is made with one partition, kept until it is trimmed; who may not is denied', async () => {
    const topic = topicOf(place);
    let there = false;
    front.answer(API.metadata, 4, () => metadataAnswer(topic, front.port, there ? 0 : ERROR.unknownTopic));
    front.answer(API.createTopics, 4, () => createTopicsAnswer(topic, ERROR.topicDenied));
    await expect(openHere()).rejects.toMatchObject({ code: 'stream_denied' });
    front.answer(API.createTopics, 4, () => {
      there = true;
      return createTopicsAnswer(topic, 0);
    });
    // The broker behind makes it when it is asked about it, which it is not through the front.
    await metadataV2.api.async(await connected(server.port), [topic], true);
    place = `${place}?replication=3`;
    const stream = await openHere();
    expect(createdBy(front.asked(API.createTopics).at(-1) as Buffer)).toEqual({
      name: topic,
      partitions: 1,
      copies: 3,
      configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
    });
    await stream.producer.append(liveEvents('e', 1));
    expect(await stream.producer.length()).toBe(1);
  });

  test('trimming deletes records below what every group has finished, also one of another program; none when one has not begun', async () => {
    const topic = topicOf(place);
    front.answer(API.listGroups, 2, () => listGroupsAnswer(['theirs', 'unrelated']));
    front.answer(API.deleteRecords, 1, () => deleteRecordsAnswer(topic));
    const stream = await openHere({ accepted: ['retention'] });
    const { lastOffset } = await stream.producer.append(liveEvents('e', 10));
    const raw = await connected(server.port);
    const theyFinish = (offset: bigint) =>
      offsetCommitV7.api.async(raw, 'theirs', -1, '', null, [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1 }],
        },
      ]);
    await theyFinish(0n);
    await stream.consumer('reader').acknowledge(lastOffset);
    expect(await stream.trim()).toBe(0);
    expect(front.asked(API.deleteRecords)).toHaveLength(0);
    await theyFinish(4n);
    expect(await stream.trim()).toBe(4);
    expect(front.asked(API.deleteRecords).map(deletedBefore)).toEqual([4n]);
  });

  test('a listing of all groups that takes long holds up trimming and nothing else', async () => {
    const topic = topicOf(place);
    front.answer(API.listGroups, 2, () => listGroupsAnswer(['theirs']));
    front.answer(API.deleteRecords, 1, () => deleteRecordsAnswer(topic));
    const stream = await openHere({ accepted: ['retention'] });
    const { lastOffset } = await stream.producer.append(liveEvents('e', 10));
    await stream.consumer('reader').acknowledge(lastOffset);
    const listing = front.hold(API.listGroups);
    const trimming = stream.trim();
    await listing.begun;
    await stream.producer.append(liveEvents('f', 5));
    expect(await stream.stats('reader')).toMatchObject({ length: 15, group: { lagEntries: 5 } });
    expect(front.asked(API.deleteRecords)).toHaveLength(0);
    listing.release();
    expect(await trimming).toBe(10);
  });

  test('a group that is listed and may not be asked holds back nothing; one of ours that may not be asked is denied', async () => {
    const topic = topicOf(place);
    let denied = ['hidden'];
    front.answer(API.listGroups, 2, () => listGroupsAnswer(['hidden', `${topic}.reader`]));
    front.answer(API.offsetFetch, 5, (body) =>
      denied.includes(body.readString(false)) ? offsetsRefused(ERROR.groupDenied) : null,
    );
    front.answer(API.deleteRecords, 1, () => deleteRecordsAnswer(topic));
    const stream = await openHere({ accepted: ['retention'] });
    const { lastOffset } = await stream.producer.append(liveEvents('e', 10));
    await stream.consumer('reader').acknowledge(lastOffset);
    expect(await stream.trim()).toBe(10);
    denied = [`${topic}.reader`];
    const another = await openHere({ accepted: ['retention'] });
    await expect(another.stats('reader')).rejects.toMatchObject({ code: 'stream_denied' });
  });

  test('who may not delete records is told so, and who accepts that nothing is trimmed is not asked to', async () => {
    const topic = topicOf(place);
    front.answer(API.listGroups, 2, () => listGroupsAnswer([]));
    front.answer(API.deleteRecords, 1, () => deleteRecordsAnswer(topic, ERROR.topicDenied));
    const stream = await openHere({ accepted: ['retention'] });
    const { lastOffset } = await stream.producer.append(liveEvents('e', 10));
    await stream.consumer('reader').acknowledge(lastOffset);
    await expect(stream.trim()).rejects.toMatchObject({ code: 'stream_denied' });
    const accepting = await openHere();
    await accepting.producer.append(liveEvents('f', 1));
    await accepting.consumer('reader').acknowledge(lastOffset);
    await accepting.trim();
    expect(front.asked(API.deleteRecords)).toHaveLength(1);
  });

  test.each([
    [{ 'cleanup.policy': 'compact,delete' }, /cleanup\.policy is compact,delete/],
    [{ 'retention.bytes': '1000000' }, /retention\.bytes is 1000000.*SPILLWAY_STREAM_ACCEPT=retention/],
  ])('a topic with %j is refused', async (settings, says) => {
    front.answer(API.describeConfigs, 2, () => configsAnswer(topicOf(place), { ...KEPT, ...settings }));
    await expect(openHere({ accepted: ['untrimmed'] })).rejects.toMatchObject({
      code: 'stream_refused',
      message: expect.stringMatching(says),
    });
  });

  test('a limit of age is told with the figures, and none where there is none', async () => {
    front.answer(API.describeConfigs, 2, () => configsAnswer(topicOf(place), KEPT));
    const endless = await openHere({ accepted: ['untrimmed'] });
    expect(await endless.stats('reader')).not.toHaveProperty('retention');
    front.answer(API.describeConfigs, 2, () =>
      configsAnswer(topicOf(place), { ...KEPT, 'retention.ms': '604800000' }),
    );
    const week = await openHere({ accepted: ['untrimmed'] });
    expect((await week.stats('reader')).retention).toEqual({ ms: 604_800_000, entries: null, bytes: null });
  });

  test('the user is logged in as the URL says; a wrong password and another mechanism are denied, and no error repeats a password', async () => {
    place = place.replace('//', '//spill:can%40ry@');
    front.answer(API.saslHandshake, 1, () => handshakeAnswer(0));
    front.answer(API.saslAuthenticate, 0, () => authenticateAnswer(0));
    await openHere();
    expect(front.asked(API.saslAuthenticate)[0]?.toString()).toContain('\0spill\0can@ry');

    front.answer(API.saslAuthenticate, 0, () => authenticateAnswer(ERROR.wrongPassword));
    const wrong = await openHere().catch((error: unknown) => error);
    front.answer(API.saslHandshake, 1, () => handshakeAnswer(ERROR.unsupportedMechanism));
    place = `${place}?mechanism=scram-sha-256`;
    const unsupported = await openHere().catch((error: unknown) => error);
    expect(front.asked(API.saslHandshake).at(-1)?.toString()).toContain('SCRAM-SHA-256');
    for (const error of [wrong, unsupported]) {
      expect(error).toMatchObject({ name: 'StreamError', code: 'stream_denied' });
      expect(inspected(error)).not.toMatch(/can(@|%40)ry/);
    }
  });
});

const KEPT = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };

function topicOf(place: string): string {
  return `${new URL(place).pathname.slice(1)}.live`;
}

async function connected(port: number): Promise<Connection> {
  const connection = new Connection('test');
  await connection.connect('127.0.0.1', port);
  cleanups.push(() => connection.close());
  return connection;
}

/** Everything a log could show of an error. */
function inspected(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name));
  return own.map((value) => (value instanceof Error ? inspected(value) : JSON.stringify(value))).join(' ');
}

/** Of the one batch in an append of version 7. */
function sequenceIn(request: Buffer): number {
  const [topicAt, sequenceInBatch] = [2 + 2 + 4 + 4, 53];
  const batchAt = topicAt + 2 + request.readInt16BE(topicAt) + 4 + 4 + 4;
  return request.readInt32BE(batchAt + sequenceInBatch);
}

function createdBy(request: Buffer) {
  const reader = Reader.from(request);
  const [topic] = reader.readArray(
    (r) => ({
      name: r.readString(false),
      partitions: r.readInt32(),
      copies: r.readInt16(),
      assignments: r.readArray((one) => one.readInt32(), false, false),
      configs: Object.fromEntries(
        r.readArray((one) => [one.readString(false), one.readString(false)], false, false),
      ),
    }),
    false,
    false,
  );
  if (topic === undefined) throw new Error('no topic was asked for');
  const { assignments: _, ...asked } = topic;
  return asked;
}

function deletedBefore(request: Buffer): bigint {
  const reader = Reader.from(request);
  reader.readInt32();
  reader.readString(false);
  reader.readInt32();
  reader.readInt32();
  return reader.readInt64();
}
