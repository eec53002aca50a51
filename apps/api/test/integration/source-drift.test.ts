/** A source that changes under a joined worker: its counts are made again, and a quote that rested on the old ones is refused. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openParquetSource } from '../../src/adapters/source-parquet/parquet-source.ts';
import { openPostgresSource } from '../../src/adapters/source-postgres/postgres-source.ts';
import type { HistorySource } from '../../src/data-plane/ports.ts';
import { SourceWatch } from '../../src/data-plane/replay/source-watch.ts';
import { fixtureColumns, writeParquet } from '../conformance/source/parquet-fixture.ts';
import { adminToken, type ControlApp, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { begin, DAY_MS, type QuotedPipeline, quotedPipeline } from '../fixtures/quoted-pipeline.ts';
import { pipeline } from '../fixtures/worker-world.ts';

let database: ControlDatabase;
let control: ControlApp;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-drift-'));
  database = await startControlDatabase();
  control = await startControlApp(database.url);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
  await rm(folder, { recursive: true, force: true });
});

/** Joins a worker that looks twenty times a second, hands over what `run` needs, and has it leave. */
async function joined(
  made: QuotedPipeline,
  connector: string,
  history: HistorySource,
  run: (counted: () => Promise<readonly number[]>) => Promise<void>,
): Promise<void> {
  const { east, west } = made;
  const stop = new AbortController();
  const watch = new SourceWatch(
    {
      control: { reportStatistics: (_worker, report) => control.ctx.statistics.record(report) },
      historyOf: () => history,
      isCurrent: () => true,
      signal: stop.signal,
      clock: { monotonic: () => performance.now() },
    },
    50,
  );
  const sources = [east, west].map((sourceId) => ({
    sourceId,
    connector,
    config: {},
    fingerprint: null,
    connected: true,
  }));
  const one = { ...pipeline, pipelineId: made.id, sources };
  await watch.count('wk_1', one);
  const counting: Promise<void>[] = [];
  const watching = watch.watch(
    (changed) => void counting.push(watch.count('wk_1', changed)),
    () => [one],
  );
  const eventsOf = async (id: string): Promise<number> =>
    (await control.ask(adminToken, 'GET', `/v1/sources/${id}`)).json().events;
  try {
    await run(() => Promise.all([east, west].map(eventsOf)));
  } finally {
    stop.abort();
    await watching;
    await Promise.all(counting);
    await history.close();
  }
}

async function refused({ body, east, west }: QuotedPipeline, quoteId: string): Promise<void> {
  const answer = await control.ask(adminToken, 'POST', '/v1/backfills', { body: { ...body, quoteId } });
  expect(answer.json(), answer.body).toMatchObject({ status: 409, code: 'quote_drifted' });
  expect(answer.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    `/sources/${east}`,
    `/sources/${west}`,
  ]);
}

test('a file replaced while the worker is joined is counted again; its quote has drifted', async () => {
  const file = join(folder, 'events.parquet');
  const write = (events: number) =>
    writeParquet(
      file,
      Array.from({ length: events }, (_, row) => ({
        at: begin + Math.floor((row * 7 * DAY_MS) / events),
        key: row % 2 === 0 ? 'k0' : 'k1',
        value: row,
      })),
    );
  await write(4_000);
  const made = await quotedPipeline(control, { counted: false });
  const history = openParquetSource({
    file,
    columns: fixtureColumns,
    sources: { [made.east]: ['k0'], [made.west]: ['k1'] },
  });
  await joined(made, 'parquet', history, async (counted) => {
    expect(await counted()).toEqual([2_000, 2_000]);
    const quoted = await made.quote();
    await write(6_000);
    await expect.poll(counted, { timeout: 10_000 }).toEqual([3_000, 3_000]);
    await refused(made, quoted.id);
    // That it is gone is a change, too.
    const last = await made.quote();
    await rm(file);
    const stateOf = async (id: string) => (await control.ask(adminToken, 'GET', `/v1/sources/${id}`)).json();
    for (const id of [made.east, made.west])
      await expect
        .poll(() => stateOf(id), { timeout: 10_000 })
        .toMatchObject({ state: 'failed', statistics: null, failure: { code: 'source_missing' } });
    await refused(made, last.id);
    await write(2_000);
    await expect.poll(counted, { timeout: 10_000 }).toEqual([1_000, 1_000]);
    expect(await stateOf(made.east)).toMatchObject({ state: 'connected', failure: null });
  });
});

test('so is a table that has other rows, and a quote of a window that they do not touch still holds', async () => {
  const client = new pg.Client(database.url);
  await client.connect();
  const insert = (from: number, to: number, hour: number) =>
    client.query(`insert into history_of_test select timestamptz '2001-01-01Z' + ${hour} * interval '1 hour' + n * interval '1 second', 'k' || n % 2, n, n
      from generate_series(${from}, ${to - 1}) n`);
  await client.query('create table history_of_test (t timestamptz, k text, v bigint, i bigint primary key)');
  await insert(0, 4_000, 0);
  const made = await quotedPipeline(control, { counted: false, connector: 'postgres' });
  const history = openPostgresSource({
    kind: 'postgres',
    url: database.url,
    table: 'history_of_test',
    columns: { time: 't', key: 'k', value: 'v', id: 'i' },
    sources: { [made.east]: ['k0'], [made.west]: ['k1'] },
  });
  try {
    await joined(made, 'postgres', history, async (counted) => {
      expect(await counted()).toEqual([2_000, 2_000]);
      const window = { from: '2001-01-01T00:00:00Z', to: '2001-01-01T01:00:00Z' };
      const [within, across] = [await made.quote({ window }), await made.quote()];
      await insert(4_000, 8_000, 12);
      await expect.poll(counted, { timeout: 20_000 }).toEqual([4_000, 4_000]);
      await refused(made, across.id);
      const answer = await control.ask(adminToken, 'POST', '/v1/backfills', {
        body: { ...made.body, window, quoteId: within.id },
      });
      expect(answer.statusCode, answer.body).toBe(201);
    });
  } finally {
    await client.end();
  }
});
