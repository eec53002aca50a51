/** The suite against a topic of four partitions, on the broker of the tests. */
import { afterAll, beforeAll } from 'vitest';
import type { KafkaSourceConfig } from '../../../src/adapters/source-kafka/config.ts';
import { openKafkaSource } from '../../../src/adapters/source-kafka/kafka-source.ts';
import { type KafkaServer, startKafka } from '../../fixtures/kafka-server.ts';
import { PARTITIONS, writeTopic } from '../../fixtures/kafka-topic.ts';
import { fixtureColumns } from './parquet-fixture.ts';
import {
  conformanceSources,
  eventsIn,
  type HistoryRow,
  type HistoryUnderTest,
  quarantinedIn,
  rowsFrom,
  sourceConformance,
} from './source-conformance.ts';

const from = Date.UTC(2001, 0, 1);

let server: KafkaServer;
beforeAll(async () => {
  server = await startKafka();
});
afterAll(() => server?.stop());

interface TopicShape {
  /** In a column, or the timestamp of the record. */
  readonly time: 'column' | 'timestamp';
  readonly named?: boolean;
  /** One in so many records is a tombstone. */
  readonly tombstoneEvery?: number;
  readonly settings?: Partial<KafkaSourceConfig>;
}

let made = 0;

async function topic(rows: readonly HistoryRow[], shape: TopicShape): Promise<HistoryUnderTest> {
  let name = `events.${++made}`;
  /** Number of the row by its place; null: a tombstone. By turns over the partitions. */
  const places: (number | null)[][] = Array.from({ length: PARTITIONS }, () => []);
  rows.forEach((_, row) => {
    const partition = places[row % PARTITIONS] as (number | null)[];
    if (shape.tombstoneEvery !== undefined && partition.length % shape.tombstoneEvery === 1)
      partition.push(null);
    partition.push(row);
  });
  const write = (all: readonly HistoryRow[]) =>
    writeTopic(
      server.port,
      name,
      places.flatMap((partition, index) =>
        partition.map((number) => {
          const row = number === null ? null : (all[number] as HistoryRow);
          return {
            partition: index,
            value: row && recordOf(row, number as number, shape),
            timestamp: row?.at ?? from,
          };
        }),
      ),
    );
  await write(rows);
  const reopen = () =>
    openKafkaSource({
      kind: 'kafka',
      url: server.url,
      topic: name,
      columns: {
        key: fixtureColumns.key,
        value: fixtureColumns.value,
        ...(shape.time === 'column' ? { time: fixtureColumns.time } : {}),
        ...(shape.named === true ? { id: 'name' } : {}),
      },
      sources: conformanceSources,
      ...shape.settings,
    });
  const order = places.flatMap((partition, index) =>
    partition.flatMap((number, offset) => (number === null ? [] : [{ number, partition: index, offset }])),
  );
  const inOrder = order.map(({ number }) => rows[number] as HistoryRow);
  const placeOf = (position: number) => order[position] as (typeof order)[number];
  const first = name;
  return {
    history: reopen(),
    expected: eventsIn(inOrder, (position) => {
      const { number, partition, offset } = placeOf(position);
      return shape.named === true ? `e${number}` : `${first}#${partition}@${offset}`;
    }),
    quarantined: quarantinedIn(inOrder, (position) => {
      const { partition, offset } = placeOf(position);
      return `${first}[${partition}]@${offset}`;
    }),
    rows: rows.length,
    reopen,
    // A record cannot be changed: one is added.
    change: () =>
      writeTopic(server.port, name, [
        {
          partition: 0,
          value: recordOf({ ...(rows.at(-1) as HistoryRow), value: 77 }, rows.length, shape),
          timestamp: rows.at(-1)?.at ?? from,
        },
      ]),
    // Nor can this broker remove a topic: who opens it then opens another.
    goes: false,
    remove: async () => {
      name = `${first}.empty`;
    },
    instantEvery: 10,
    dispose: async () => undefined,
  };
}

function recordOf({ at, key, value }: HistoryRow, number: number, { time, named }: TopicShape): string {
  const { time: happened, key: place, value: amount } = fixtureColumns;
  return JSON.stringify({
    ...(time === 'column' ? { [happened]: at === null ? null : new Date(at).toISOString() } : {}),
    [place]: key,
    [amount]: value,
    ...(named === true ? { name: `e${number}` } : {}),
  });
}

const sorted = rowsFrom({ count: 3000, from, seed: 1, sorted: true, damaged: false });
const unsorted = rowsFrom({ count: 2000, from, seed: 2, sorted: false, damaged: false });
const damaged = rowsFrom({ count: 2000, from, seed: 4, sorted: false, damaged: true });

sourceConformance('Kafka, times of records, in their order, tombstones', () =>
  topic(sorted, { time: 'timestamp', tombstoneEvery: 50 }),
);
sourceConformance('Kafka, times of records, out of order', () => topic(unsorted, { time: 'timestamp' }));
sourceConformance('Kafka, times and names of their own, rows that are no events', () =>
  topic(damaged, { time: 'column', named: true }),
);
