/** A file that is replaced under a joined worker: its counts are made again, and a quote that rested on the old ones is refused. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openParquetSource } from '../../src/adapters/source-parquet/parquet-source.ts';
import { SourceWatch } from '../../src/data-plane/replay/source-watch.ts';
import { fixtureColumns, writeParquet } from '../conformance/source/parquet-fixture.ts';
import { adminToken, type ControlApp, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { begin, DAY_MS, quotedPipeline } from '../fixtures/quoted-pipeline.ts';
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
  const { east, west, body } = made;
  const history = openParquetSource({
    file,
    columns: fixtureColumns,
    sources: { [east]: ['k0'], [west]: ['k1'] },
  });
  const stop = new AbortController();
  const watch = new SourceWatch(
    {
      control: { reportStatistics: (_worker, report) => control.ctx.statistics.record(report) },
      historyOf: () => history,
      signal: stop.signal,
    },
    50,
  );
  const sources = [east, west].map((sourceId) => ({
    sourceId,
    connector: 'parquet',
    config: {},
    fingerprint: null,
    connected: true,
  }));
  const joined = { ...pipeline, pipelineId: made.id, sources };
  await watch.count('wk_1', joined);
  const counting: Promise<void>[] = [];
  const watching = watch.watch(
    (changed) => void counting.push(watch.count('wk_1', changed)),
    () => [joined],
  );
  const eventsOf = async (id: string): Promise<number> =>
    (await control.ask(adminToken, 'GET', `/v1/sources/${id}`)).json().events;
  const counted = () => Promise.all([east, west].map(eventsOf));
  try {
    expect(await counted()).toEqual([2_000, 2_000]);
    const quoted = await made.quote();
    await write(6_000);
    await expect.poll(counted, { timeout: 10_000 }).toEqual([3_000, 3_000]);
    const answer = await control.ask(adminToken, 'POST', '/v1/backfills', {
      body: { ...body, quoteId: quoted.id },
    });
    expect(answer.json(), answer.body).toMatchObject({ status: 409, code: 'quote_drifted' });
    expect(answer.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      `/sources/${east}`,
      `/sources/${west}`,
    ]);
  } finally {
    stop.abort();
    await watching;
    await Promise.all(counting);
    await history.close();
  }
});
