/**
 * The same two hours of flights as JSONL, as CSV, as a table, as objects and as a topic, each added over REST to the started system, replayed, proved, and compared with
 * DuckDB's reading of what was written. What lets somebody into the database is found nowhere afterwards.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source } from '@spillway/shared/api/pipeline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { flightsHistory } from '../../src/demo/flights.ts';
import { query } from '../conformance/source/parquet-fixture.ts';
import { type KafkaServer, startKafka } from '../fixtures/kafka-server.ts';
import { PARTITIONS, writeTopic } from '../fixtures/kafka-topic.ts';
import { PASSWORD, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { S3_CREDENTIALS, type S3Server, startS3, startS3Front } from '../fixtures/s3-server.ts';
import { readBackfill, startBackfill, untilState } from '../system/backfills.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import type { StartedSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const window = { from: '2001-03-05T12:00:00.000Z', to: '2001-03-05T14:00:00.000Z' };
const columns = { time: 'happened', key: 'origin', value: 'delay' };
/** In the order of the file: rows of the window from 0. */
const day = `SELECT date AS happened, origin, delay, row_number() OVER (ORDER BY file_row_number) - 1 AS row
  FROM read_parquet('${flightsHistory().file}', file_row_number = true)
  WHERE date >= TIMESTAMP '${window.from.slice(0, -1)}' AND date < TIMESTAMP '${window.to.slice(0, -1)}'`;
/** Rows of the first of the two files of lines. */
const FIRST_FILE = 800;

let folder: string;
let server: PostgresServer;
let objects: S3Server;
let topics: KafkaServer;
let system: StartedSystem;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-sources-'));
  await chmod(folder, 0o755);
  const started = startMeasuredSystem({ SPILLWAY_SOURCE_DIRS: folder });
  const parts = [`row < ${FIRST_FILE}`, `row >= ${FIRST_FILE}`];
  for (const [part, rows] of parts.entries()) {
    const of = `COPY (SELECT * EXCLUDE row FROM (${day}) WHERE ${rows} ORDER BY row)`;
    await query(`${of} TO '${folder}/day-${part}.jsonl.gz' (FORMAT json, COMPRESSION gzip)`);
  }
  await query(
    `COPY (SELECT *, 'c' || row AS name FROM (${day}) ORDER BY row) TO '${folder}/day.csv.zst' (FORMAT csv, HEADER, COMPRESSION zstd)`,
  );
  await query(
    `COPY (SELECT *, 'p' || row AS name FROM (${day}) ORDER BY row) TO '${folder}/day.csv' (FORMAT csv, HEADER)`,
  );
  await query(
    `COPY (SELECT * FROM (${day}) LIMIT 800) TO '${folder}/cut.jsonl.gz' (FORMAT json, COMPRESSION gzip)`,
  );
  truncateSync(join(folder, 'cut.jsonl.gz'), 2_000);
  server = await startPostgres();
  await server.sql(`
    create schema history;
    create table history.flights (happened timestamp, origin text, delay smallint, "row" bigint, name text primary key);
    copy history.flights from '${folder}/day.csv' (format csv, header);
    create index on history.flights (happened, name)`);
  rmSync(join(folder, 'day.csv'));
  objects = await startS3();
  await objects.createBucket('flights');
  // An object for each hour, by its name.
  for (const hour of [12, 13]) {
    const object = join(folder, 'hour.parquet');
    await query(
      `COPY (SELECT * EXCLUDE row FROM (${day}) WHERE hour(happened) = ${hour} ORDER BY row) TO '${object}' (FORMAT parquet)`,
    );
    await objects.put('flights', `history/2001-03-05/${hour}.parquet`, readFileSync(object));
    rmSync(object);
  }
  topics = await startKafka();
  const rows = await query(
    `SELECT epoch_ms(happened)::DOUBLE, origin, delay::DOUBLE, 'k' || row FROM (${day}) ORDER BY row`,
  );
  await writeTopic(
    topics.port,
    'flights.history',
    rows.map(([at, origin, delay, name], row) => ({
      partition: row % PARTITIONS,
      timestamp: at as number,
      value: JSON.stringify({ origin, delay, name }),
    })),
  );
  system = await started;
}, 300_000);
afterAll(async () => {
  await system?.remove();
  await server?.stop();
  await objects?.stop();
  await topics?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function add(id: string, history: object): Promise<Source> {
  const { status, body } = await system.call('POST', '/v1/sources', {
    id,
    title: id,
    pipelineId: 'flights',
    history,
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}

async function untilLookedAt(id: string): Promise<Source> {
  return until(`${id} looked at`, async () => {
    const { body } = await system.call('GET', `/v1/sources/${id}`);
    return (body.statistics !== null || body.failure !== null) && body;
  });
}

/** Ids as each source gives them. */
const sources = [
  {
    id: 'day-jsonl',
    history: () => ({ kind: 'jsonl', path: folder, columns }),
    idSql: `'day-' || (row >= ${FIRST_FILE})::INT || '.jsonl.gz#' || (row - ${FIRST_FILE} * (row >= ${FIRST_FILE})::INT + 1)`,
  },
  {
    id: 'day-csv',
    history: () => ({ kind: 'csv', path: join(folder, 'day.csv.zst'), columns: { ...columns, id: 'name' } }),
    idSql: `'c' || row`,
  },
  {
    id: 'day-postgres',
    history: () => ({
      kind: 'postgres',
      url: server.url('postgres'),
      schema: 'history',
      table: 'flights',
      columns: { ...columns, id: 'name' },
    }),
    idSql: `'p' || row`,
  },
  {
    id: 'day-s3',
    history: () => ({
      kind: 's3',
      bucket: 'flights',
      prefix: 'history/',
      endpoint: objects.endpoint,
      credentials: S3_CREDENTIALS,
      format: 'parquet',
      columns,
      partitions: '{YYYY}-{MM}-{DD}/{HH}',
    }),
    idSql: `'2001-03-05/' || hour(happened) || '.parquet#' || (row - (SELECT count(*) FROM (${day}) AS before WHERE hour(before.happened) < hour(day.happened)))`,
  },
  {
    id: 'day-kafka',
    history: () => ({
      kind: 'kafka',
      url: topics.url,
      topic: 'flights.history',
      columns: { key: 'origin', value: 'delay', id: 'name' },
    }),
    idSql: `'k' || row`,
  },
];

async function oracle(idSql: string): Promise<object[]> {
  const rows = await query(`
    SELECT origin, epoch_ms(hour)::DOUBLE, count(*)::DOUBLE, sum(delay)::VARCHAR, min(delay)::DOUBLE, max(delay)::DOUBLE,
      (sum(('0x' || right(md5(id || chr(31) || delay), 16))::UBIGINT::HUGEINT) % 18446744073709551616)::VARCHAR
    FROM (SELECT *, date_trunc('hour', happened) AS hour, ${idSql} AS id FROM (${day}) AS day) GROUP BY ALL ORDER BY 2, 1`);
  return rows.map(([key, start, count, sum, min, max, hash]) => ({ key, start, count, sum, min, max, hash }));
}

async function stored(sourceId: string): Promise<object[]> {
  const buckets: object[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const search = new URLSearchParams({
      ...window,
      source: sourceId,
      limit: '200',
      ...(cursor === '' ? {} : { cursor }),
    });
    const { body } = await system.call('GET', `/v1/pipelines/flights/buckets?${search}`);
    for (const { key, start, count, sum, min, max, hash } of body.items)
      buckets.push({ key, start: Date.parse(start), count, sum, min, max, hash });
    cursor = body.nextCursor;
  }
  return buckets;
}

it('replays each kind of source to the buckets of the oracle, and shows no credentials', async () => {
  // Beside the whole files lies one that is cut off: its folder is read only when it is gone.
  await add('cut', { kind: 'jsonl', path: join(folder, 'cut.jsonl.gz'), columns });
  expect((await untilLookedAt('cut')).failure).toMatchObject({
    code: 'source_corrupt',
    detail: expect.stringContaining('cut.jsonl.gz ends in the middle of its compressed data'),
  });
  rmSync(join(folder, 'cut.jsonl.gz'));
  for (const { id, history } of sources) await add(id, history());
  const wrong = new URL(server.url('postgres'));
  wrong.password = 'canary-of-a-wrong-password';
  await add('refused', { ...sources[2]?.history(), url: wrong.href });
  await add('refused-objects', {
    ...sources[3]?.history(),
    credentials: { ...S3_CREDENTIALS, secretAccessKey: 'canary-of-a-wrong-secret' },
  });
  // No header and no catalogue could tell that these have no such field.
  await add('misspelt', { ...sources[0]?.history(), columns: { ...columns, key: 'airport' } });
  await add('misspelt-topic', { ...sources[4]?.history(), columns: { key: 'origin', value: 'minutes' } });

  const [{ count }] = (await query(`SELECT count(*)::DOUBLE AS count FROM (${day})`)).map(([rows]) => ({
    count: rows,
  })) as [{ count: number }];
  for (const { id } of sources) {
    expect(await untilLookedAt(id)).toMatchObject({
      failure: null,
      events: count,
      historyOnly: true,
      statistics: { exact: true },
    });
  }
  for (const id of ['refused', 'refused-objects'])
    expect((await untilLookedAt(id)).failure).toMatchObject({ code: 'source_denied' });
  expect((await untilLookedAt('misspelt')).failure).toMatchObject({
    code: 'source_schema',
    detail: `none of its ${count} rows is an event: day-0.jsonl.gz line 1: airport is missing`,
  });
  expect((await untilLookedAt('misspelt-topic')).failure).toMatchObject({
    code: 'source_schema',
    detail: expect.stringMatching(/is an event: flights\.history\[\d\]@0: minutes is missing$/),
  });

  const started = await startBackfill(system, {
    sourceIds: sources.map(({ id }) => id),
    window,
    limits: { eventsPerSecond: 100_000 },
  });
  const done = await untilState(system, started.id, 'completed', 100_000);
  expect(done.verification.state).toBe('matched');
  expect(done.progress.eventsApplied).toBe(sources.length * count);
  for (const { id, idSql } of sources) {
    const [found, expected] = [await stored(id), await oracle(idSql)];
    expect(expected.length).toBeGreaterThan(100);
    expect(found, id).toEqual(expected);
  }
  await readBackfill(system, started.id);

  const logs = readdirSync(join(system.dataDir, 'logs')).map((name) =>
    readFileSync(join(system.dataDir, 'logs', name), 'utf8'),
  );
  const answers = [];
  for (const path of [
    '/v1/sources',
    '/v1/sources/day-postgres',
    '/v1/sources/refused',
    '/v1/audit?limit=200',
    '/v1/alerts',
    '/v1/workers',
  ])
    answers.push(JSON.stringify((await system.call('GET', path)).body));
  for (const text of [...logs, ...answers, system.output()])
    for (const canary of [PASSWORD, 'canary-of-a-wrong-password', 'canary-of-a-wrong-secret'])
      expect(text.includes(canary)).toBe(false);
  expect(answers[1]).toContain(`postgres://127.0.0.1:${server.port}/postgres`);
}, 150_000);

const OBJECTS = 24;
it('meters what a backfill asks of an object store as the store itself counts it', async () => {
  const front = await startS3Front(objects);
  const lines = join(folder, 'metered.jsonl');
  // More objects than their worker has held since it counted them.
  for (let part = 0; part < OBJECTS; part++) {
    await query(
      `COPY (SELECT * EXCLUDE row FROM (${day}) WHERE row % ${OBJECTS} = ${part} ORDER BY row) TO '${lines}' (FORMAT json)`,
    );
    await objects.put('flights', `metered/${part}.jsonl`, readFileSync(lines));
    rmSync(lines);
  }
  await add('metered', {
    ...{ kind: 's3', bucket: 'flights', prefix: 'metered/', endpoint: front.endpoint, format: 'jsonl' },
    ...{ credentials: S3_CREDENTIALS, columns },
  });
  expect((await untilLookedAt('metered')).failure).toBeNull();
  const before = { ...front.ranges };
  const { id } = await startBackfill(system, {
    sourceIds: ['metered'],
    window,
    limits: { eventsPerSecond: 2_000 },
  });
  await untilState(system, id, 'completed', 60_000);
  const requests = front.ranges.requests - before.requests;
  const bytes = front.ranges.bytes - before.bytes;
  expect(requests).toBeGreaterThanOrEqual(OBJECTS);
  // It is on this machine: what is read of it leaves nothing.
  const counted = { source_requests: requests, source_scan: bytes, egress: 0 };
  const metered = async () => {
    const { cost } = await readBackfill(system, id);
    const items = cost?.metered?.items ?? [];
    return Object.fromEntries(
      items.filter(({ item }) => item in counted).map(({ item, quantity }) => [item, Number(quantity)]),
    );
  };
  // Its last tick comes after its completion.
  await expect.poll(metered, { timeout: 5_000 }).toEqual(counted);
  await front.close();
}, 90_000);

it('completes and proves a file of which some rows are no events, and shows them where they lie', async () => {
  const row = (number: number) => ({
    happened: '2001-03-05T12:00:00Z',
    origin: 'OSL',
    delay: number,
    name: `d${number}`,
  });
  const faults: Record<number, object> = {
    3: { origin: 'OSL\0' },
    5: { origin: 'k'.repeat(401) },
    7: { name: '' },
    9: { happened: '9999-12-31T00:00:00Z' },
  };
  const lines = Array.from({ length: 10 }, (_, index) =>
    JSON.stringify({ ...row(index + 1), ...faults[index + 1] }),
  );
  mkdirSync(join(folder, '_dirty'));
  writeFileSync(join(folder, '_dirty', 'a.jsonl'), lines.join('\n'));
  await add('dirty', {
    kind: 'jsonl',
    path: join(folder, '_dirty', 'a.jsonl'),
    columns: { ...columns, id: 'name' },
  });
  expect(await untilLookedAt('dirty')).toMatchObject({
    failure: null,
    events: 6,
    statistics: { rowsQuarantined: 4 },
  });
  const started = await startBackfill(system, { sourceIds: ['dirty'], window });
  const done = await untilState(system, started.id, 'completed', 60_000);
  expect(done).toMatchObject({
    progress: { eventsApplied: 6, eventsQuarantined: 4 },
    verification: { state: 'matched' },
  });
  // What was met last comes with a tick after its completion.
  const addresses = async () => {
    const { body } = await system.call('GET', `/v1/backfills/${started.id}/quarantine`);
    return body.items.map(({ address }: { address: string }) => address).toSorted();
  };
  await expect
    .poll(addresses, { timeout: 5_000 })
    .toEqual([3, 5, 7, 9].map((line) => `a.jsonl line ${line}`));
});

it('refuses a window of a topic whose beginning retention has removed, whatever is left of it', async () => {
  // The broker of the tests keeps 5 MiB of a partition.
  const from = Date.parse(window.from);
  const records = Array.from({ length: 1_000 }, (_, second) => ({
    partition: 0,
    timestamp: from + second * 1_000,
    value: JSON.stringify({ origin: 'OSL', delay: second, filler: 'x'.repeat(9_000) }),
  }));
  // It removes by what was sent at once.
  for (let first = 0; first < records.length; first += 100)
    await writeTopic(topics.port, 'cut.history', records.slice(first, first + 100));
  await add('cut-topic', {
    kind: 'kafka',
    url: topics.url,
    topic: 'cut.history',
    columns: { key: 'origin', value: 'delay' },
  });
  const source = await untilLookedAt('cut-topic');
  expect(source.wholeFrom).toBe(source.range?.from);
  expect(Date.parse(source.wholeFrom ?? window.from)).toBeGreaterThan(from);
  const { status, body } = await system.call('POST', '/v1/backfills', {
    pipelineId: 'flights',
    sourceIds: ['cut-topic'],
    window,
  });
  expect([status, body.code]).toEqual([422, 'gap']);
});
