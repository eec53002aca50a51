/** A topic that is too large to be scanned, that loses its beginning, or of which the broker does not know enough: right, or refused by name. */
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import type { KafkaSourceConfig } from '../../src/adapters/source-kafka/config.ts';
import { openKafkaSource } from '../../src/adapters/source-kafka/kafka-source.ts';
import type { HistorySource, TimeRange } from '../../src/data-plane/ports.ts';
import { batchesOf, eventsOf } from '../conformance/source/source-conformance.ts';
import {
  authenticateAnswer,
  handshakeAnswer,
  listOffsetsAnswer,
  metadataAnswer,
} from '../fixtures/kafka-answers.ts';
import { type KafkaFront, startFront } from '../fixtures/kafka-front.ts';
import { type KafkaServer, startKafka } from '../fixtures/kafka-server.ts';
import { PARTITIONS, type Written, writeTopic } from '../fixtures/kafka-topic.ts';

const begin = Date.UTC(2001, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const everything = { from: -8.64e15, to: 8.64e15 };
/** Numbers of the protocol. */
const API = { listOffsets: 2, metadata: 3, saslHandshake: 17, saslAuthenticate: 36, fetch: 1 } as const;
/** As a time. */
const EARLIEST = -2n;
const ERROR = { unknownTopic: 3, wrongPassword: 58 } as const;

let server: KafkaServer;
let made = 0;
const opened: HistorySource[] = [];
const fronts: KafkaFront[] = [];
beforeAll(async () => {
  server = await startKafka();
});
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  for (const front of fronts.splice(0)) front.close();
});
afterAll(() => server?.stop());

function open(topic: string, more: Partial<KafkaSourceConfig> = {}): HistorySource {
  const source = openKafkaSource(
    {
      kind: 'kafka',
      url: server.url,
      topic,
      columns: { key: 'k', value: 'v' },
      sources: { s: ['a'], t: ['b'] },
      ...more,
    },
    { patienceMs: 300 },
  );
  opened.push(source);
  return source;
}

async function front(): Promise<KafkaFront> {
  const made = await startFront(server.port);
  fronts.push(made);
  return made;
}

async function valuesIn(source: HistorySource, range: TimeRange): Promise<number[]> {
  const signal = new AbortController().signal;
  const found = await batchesOf(source.read({ sourceId: 's', range, after: null, maxEvents: 1000, signal }));
  return eventsOf(found).map(({ value }) => value);
}

/** One record a minute, by turns over the partitions; a quarter of them of source t. */
function minutes(count: number, filler = ''): Written[] {
  return Array.from({ length: count }, (_, number) => ({
    partition: number % PARTITIONS,
    timestamp: begin + number * MINUTE,
    value: JSON.stringify({ k: Math.floor(number / PARTITIONS) % 4 === 3 ? 'b' : 'a', v: number, filler }),
  }));
}

async function write(records: readonly Written[]): Promise<string> {
  const topic = `history.${++made}`;
  await writeTopic(server.port, topic, records);
  return topic;
}

const ofS = (records: readonly Written[], { from, to }: TimeRange) =>
  records
    .filter(({ timestamp, value }) => timestamp >= from && timestamp < to && value?.includes('"a"') === true)
    .toSorted((one, other) => one.partition - other.partition || one.timestamp - other.timestamp)
    .map(({ value }) => (JSON.parse(value ?? '') as { v: number }).v);

describe('a topic that is too large to be scanned', () => {
  const records = minutes(8_000);
  const window = { from: begin + 40 * HOUR, to: begin + 43 * HOUR };
  let topic: string;
  beforeAll(async () => {
    topic = await write(records);
  });

  it('is sampled, and says so: about as many events as there are, about where they are', async () => {
    const source = open(topic, { exactEntriesMax: 1_000 });
    const { rows, range } = await source.describe();
    expect(rows).toBeGreaterThan(7_200);
    expect(rows).toBeLessThan(8_800);
    expect(Math.abs(range.from - begin)).toBeLessThan(HOUR);
    expect(Math.abs(range.to - (begin + 8_000 * MINUTE))).toBeLessThan(HOUR);
    const { counts, estimated, from, stepMs } = await source.count(HOUR);
    expect(estimated).toBe(true);
    const counted = counts['s']?.reduce((sum, count) => sum + count, 0) ?? 0;
    expect(Math.abs(counted - 6_000)).toBeLessThan(600);
    const first = (window.from - from) / stepMs;
    const inWindow = counts['s']?.slice(first, first + 3).reduce((sum, count) => sum + count, 0) ?? 0;
    expect(Math.abs(inWindow - 135)).toBeLessThan(40);
  });

  it('is read from its beginning where nothing is said of lateness, and where the broker knows no time', async () => {
    // The broker of the tests answers -1 whatever the time.
    for (const maxLatenessMs of [undefined, 0])
      expect(
        await valuesIn(
          open(topic, { exactEntriesMax: 0, ...(maxLatenessMs === undefined ? {} : { maxLatenessMs }) }),
          window,
        ),
      ).toEqual(ofS(records, window));
  });

  it('fails by name where a record is later than was said', async () => {
    const late = await write([...minutes(400), ...minutes(4)]);
    const source = open(late, { exactEntriesMax: 0, maxLatenessMs: HOUR });
    await expect(valuesIn(source, everything)).rejects.toMatchObject({
      code: 'source_schema',
      message: expect.stringMatching(/history\.\d+\[0\]@100 is \d+ ms late/),
    });
  });
});

test('records out of order are met by the scan, whatever the broker says of times', async () => {
  const records = minutes(1_000).toReversed();
  const range = { from: begin + 5 * HOUR, to: begin + 6 * HOUR };
  const found = await valuesIn(open(await write(records)), range);
  expect(found.toSorted((one, other) => one - other)).toEqual(
    ofS(records, range).toSorted((one, other) => one - other),
  );
});

test('what was written since the last look is counted by the next', async () => {
  const topic = await write(minutes(40));
  const source = open(topic);
  const before = await source.describe();
  const version = await source.version();
  expect(await source.version()).toBe(version);
  await writeTopic(server.port, topic, minutes(80).slice(40));
  expect(await source.version()).not.toBe(version);
  // That it has been read meanwhile is no look.
  expect(await valuesIn(source, everything)).toEqual(ofS(minutes(80), everything));
  expect((await source.count(MINUTE)).counts['s']).toHaveLength(40);
  const after = await source.describe();
  expect([before.rows, after.rows]).toEqual([40, 80]);
  expect(after.fingerprint).not.toBe(before.fingerprint);
});

test.for([
  ['scanned', {}],
  ['sampled', { exactEntriesMax: 0 }],
  ['that was scanned, and is too large for it now', { exactEntriesMax: 25_000 }],
] as const)(
  'what another worker has counted is read by one that looked before: a topic %s',
  async ([, config]) => {
    const records = minutes(60_000);
    let written = 20_010;
    const topic = await write(records.slice(0, written));
    const [counting, reading] = [open(topic, config), open(topic, config)];
    await reading.describe();
    for (const end of [20_030, 40_000, 60_000]) {
      await writeTopic(server.port, topic, records.slice(written, end));
      written = end;
      const window = { from: begin + (end - 400) * MINUTE, to: (await counting.describe()).range.to };
      expect(await valuesIn(reading, window)).toEqual(ofS(records, window));
    }
  },
);

describe('what retention has removed', () => {
  // The broker of the tests keeps 5 MiB of a partition.
  const filler = 'x'.repeat(9_000);

  it('is a gap for who was reading it, and for who comes afterwards and wants it', async () => {
    const topic = await write(minutes(400, filler));
    const source = open(topic);
    expect((await source.describe()).wholeFrom).toBeUndefined();
    await writeTopic(server.port, topic, minutes(4_400, filler).slice(400));
    await expect(valuesIn(source, everything)).rejects.toMatchObject({ name: 'SourceError', code: 'gap' });

    const fresh = open(topic);
    const { range, wholeFrom } = await fresh.describe();
    expect(wholeFrom).toBe(range.from);
    expect(range.from).toBeGreaterThan(begin);
    await expect(valuesIn(fresh, { from: begin, to: range.to })).rejects.toMatchObject({
      code: 'gap',
      message: expect.stringContaining(`whole from ${new Date(range.from).toISOString()}`),
    });
    expect(await valuesIn(fresh, range)).toEqual(ofS(minutes(4_400, filler), range));
    // Whoever looked before that reads what is left, and no more than that.
    expect(await valuesIn(source, range)).toEqual(ofS(minutes(4_400, filler), range));
    await expect(valuesIn(source, { from: begin, to: range.to })).rejects.toMatchObject({ code: 'gap' });
  });
});

describe.for([
  ['scanned', {}],
  ['sampled', { exactEntriesMax: 0 }],
] as const)('a partition that retention has emptied is not passed over: a topic %s', ([, config]) => {
  const idleFrom = begin + 400 * MINUTE;
  const idle = PARTITIONS - 1;
  const records = minutes(800).filter(
    ({ partition, timestamp }) => partition !== idle || timestamp < idleFrom,
  );
  const removed = { from: begin + 300 * MINUTE, to: begin + 500 * MINUTE };

  async function openBefore(): Promise<{
    source: HistorySource;
    grow(more: readonly Written[]): Promise<void>;
    empty(partitions: readonly number[]): void;
  }> {
    const topic = await write(records);
    const written = [...records];
    const before = await front();
    const source = open(topic, { url: before.url, ...config });
    expect((await source.describe()).range.to).toBeGreaterThan(begin + 700 * MINUTE);
    return {
      source,
      grow: async (more) => {
        await writeTopic(server.port, topic, more);
        written.push(...more);
      },
      empty: (partitions) =>
        before.answer(API.listOffsets, 5, (body) => {
          body.skip(4 + 1 + 4);
          const [, , partition, at] = [
            body.readString(false),
            body.readInt32(),
            body.readInt32(),
            body.readInt64(),
          ];
          const end = written.filter((record) => record.partition === partition).length;
          return at === EARLIEST && partitions.includes(partition)
            ? listOffsetsAnswer(topic, BigInt(end))
            : null;
        }),
    };
  }

  it('by a reading, and by the next look', async () => {
    const { source, empty } = await openBefore();
    empty([idle]);
    const left = { from: idleFrom, to: begin + 800 * MINUTE };
    for (const look of [() => undefined, () => source.describe()]) {
      await look();
      await expect(valuesIn(source, removed)).rejects.toMatchObject({
        code: 'gap',
        message: expect.stringContaining('whole from 2001-01-01T06:39:00.001Z'),
      });
      expect(await valuesIn(source, left)).toEqual(ofS(records, left));
    }
  });

  it('nor what a reading has met in it since the last look', async () => {
    const { source, grow, empty } = await openBefore();
    await grow(minutes(1_000).slice(800));
    await valuesIn(source, { from: begin + 950 * MINUTE, to: begin + 1_000 * MINUTE });
    empty([idle]);
    await expect(
      valuesIn(source, { from: begin + 850 * MINUTE, to: begin + 1_000 * MINUTE }),
    ).rejects.toMatchObject({ code: 'gap' });
  });

  it('where nothing is left of any', async () => {
    const { source, empty } = await openBefore();
    empty(Array.from({ length: PARTITIONS }, (_, partition) => partition));
    await expect(source.describe()).rejects.toMatchObject({ code: 'source_missing' });
    await expect(valuesIn(source, removed)).rejects.toMatchObject({ code: 'gap' });
  });
});

describe('what will not pass is refused by its name', () => {
  it('a topic that is missing, and one that holds nothing', async () => {
    const before = await front();
    before.answer(API.metadata, 4, () => metadataAnswer('nothing', before.port, ERROR.unknownTopic));
    await expect(open('nothing', { url: before.url }).describe()).rejects.toMatchObject({
      code: 'source_missing',
      message: expect.stringContaining('there is no topic nothing'),
    });
    await expect(open('empty').describe()).rejects.toMatchObject({
      code: 'source_missing',
      message: expect.stringContaining('the topic empty holds no entry'),
    });
  });

  it('a wrong password, which is not repeated', async () => {
    const before = await front();
    before.answer(API.saslHandshake, 1, () => handshakeAnswer(0));
    before.answer(API.saslAuthenticate, 0, () => authenticateAnswer(ERROR.wrongPassword));
    const url = before.url.replace('kafka://', 'kafka://me:canary-of-a-password@');
    const failure = await open('history', { url })
      .describe()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'source_denied', message: expect.stringContaining('password') });
    expect(`${failure} ${JSON.stringify(failure)}`).not.toContain('canary');
  });

  it('nobody at all', async () => {
    await expect(open('history', { url: 'kafka://127.0.0.1:1' }).describe()).rejects.toMatchObject({
      code: 'source_unavailable',
    });
  });

  it('a url that is none, of which nothing is quoted', () => {
    expect(() => open('history', { url: 'kafka://me:canary@host:99999' })).toThrow(
      expect.objectContaining({ code: 'source_schema', message: expect.not.stringContaining('canary') }),
    );
  });
});
