/** History that is missing, cut off or garbled, under the started system: the source fails by name and address, everything else goes on. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Backfill } from '@spillway/shared/api/backfill';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { flightsHistory } from '../../src/demo/flights.ts';
import { connectionUrl, socketDirectoryOf } from '../../src/supervise/embedded-postgres/socket-dir.ts';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { command, readBackfill, startBackfill, untilState } from '../system/backfills.ts';
import { type EventWatch, watchEvents } from '../system/event-watch.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import { pidOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, signal } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const day = { from: Date.UTC(2001, 0, 1), to: Date.UTC(2001, 0, 2) };
const window = { from: new Date(day.from).toISOString(), to: new Date(day.to).toISOString() };
const good = flightsHistory().file;

let files: string;
let system: StartedSystem;
let events: EventWatch;
let oracle: FlightsOracle;
/** Of the replay worker. */
let reader: number;

beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'spillway-files-'));
  [oracle, system] = await Promise.all([FlightsOracle.open(), startMeasuredSystem()]);
  events = watchEvents(system);
  for (const source of ['west', 'central', 'east']) {
    mkdirSync(join(files, source));
    copyFileSync(good, fileOf(source));
  }
  await readFromCopies(['west', 'central', 'east']);
}, 300_000);

afterAll(async () => {
  await events?.close();
  oracle?.close();
  await system?.remove();
  rmSync(files, { recursive: true, force: true });
});

/** Under the name of the original, which is part of every event's id. */
function fileOf(source: string): string {
  return join(files, source, basename(good));
}

/** Where the demo's sources lie is part of the installation, so it is set where it is kept. Workers learn it as they join. */
async function readFromCopies(sources: readonly string[]): Promise<void> {
  const client = new pg.Client({
    connectionString: connectionUrl(socketDirectoryOf(join(system.dataDir, 'control'))),
  });
  await client.connect();
  try {
    for (const source of sources)
      await client.query(
        `update sources set config = jsonb_set(config::jsonb, '{file}', to_jsonb($1::text)) where id = $2`,
        [fileOf(source), source],
      );
  } finally {
    await client.end();
  }
  const former = await pidOf(system, 'replay worker');
  signal(former, 'SIGKILL');
  reader = await successorOf(system, 'replay worker', former);
  await until('the reader joined', async () => {
    const { items } = (await system.call('GET', '/v1/workers')).body;
    return items.some(({ pid }: { pid: number }) => pid === reader);
  });
}

/** Renamed into place, as a careful writer does. */
function replace(source: string, change: (path: string) => void): void {
  const unfinished = `${fileOf(source)}.unfinished`;
  copyFileSync(good, unfinished);
  change(unfinished);
  renameSync(unfinished, fileOf(source));
}

function garble(path: string): void {
  const bytes = readFileSync(path);
  // The pages of the first weeks; the footer, at the end, stays whole.
  bytes.fill(0xff, 1_000, 900_000);
  writeFileSync(path, bytes);
}

const damages = [
  {
    source: 'west',
    what: 'missing',
    damage: () => unlinkSync(fileOf('west')),
    code: 'source_missing',
    detail: /west\/flights-3m\.parquet does not exist/,
    address: null,
  },
  {
    source: 'central',
    what: 'cut off',
    damage: () => replace('central', (path) => truncateSync(path, 5_000_000)),
    code: 'source_corrupt',
    detail: /central\/flights-3m\.parquet/,
    address: /^(byte|row)/,
  },
  {
    source: 'east',
    what: 'garbled',
    damage: () => replace('east', garble),
    code: 'source_corrupt',
    detail: /row group 0, column \w+/,
    address: /^(byte|row)/,
  },
] as const;
const backfills = new Map<string, Backfill>();

for (const { source, what, damage, code, detail, address } of damages) {
  it(`a ${what} file fails its backfill with ${code} and where`, { timeout: 180_000 }, async () => {
    damage();
    const { id } = await startBackfill(system, { sourceIds: [source], window, limits: { share: 1 } });
    const failed = await untilState(system, id, 'failed');
    backfills.set(source, failed);
    expect(failed.failure).toMatchObject({ code, detail: expect.stringMatching(detail) });
    if (address !== null) expect(failed.failure?.address).toMatch(address);
    expect(failed.allowedActions).toEqual(expect.arrayContaining(['retry', 'cancel']));
    const { items } = (await system.call('GET', `/v1/backfills/${id}/subwindows?state=failed`)).body;
    expect(items[0]).toMatchObject({ sourceId: source, failure: { code } });
  });
}

it('meanwhile the worker lives, live flows, and a source with a whole file is replayed', {
  timeout: 180_000,
}, async () => {
  const seconds = await events.seconds(2);
  expect(seconds.every(({ values }) => (values['livePublishedEventsPerSecond'] ?? 0) > 0)).toBe(true);
  const { id } = await startBackfill(system, { sourceIds: ['mountain'], window, limits: { share: 1 } });
  const done = await untilState(system, id, 'completed');
  expect(done.verification.state).toBe('matched');
  expect(await pidOf(system, 'replay worker')).toBe(reader);
  const { body } = await system.call('GET', '/v1/sources');
  const states = Object.fromEntries(
    body.items.map((source: { id: string; state: string }) => [source.id, source.state]),
  );
  expect(states).toEqual({ west: 'failed', central: 'failed', east: 'failed', mountain: 'connected' });
});

it('with the files restored, retry completes each, and every bucket is right', {
  timeout: 300_000,
}, async () => {
  for (const [source, { id }] of backfills) {
    replace(source, () => undefined);
    await command(system, id, 'retry');
  }
  for (const { id } of backfills.values()) {
    const done = await untilState(system, id, 'completed');
    expect(done).toMatchObject({ failure: null, verification: { state: 'matched' } });
    expect((await readBackfill(system, id)).progress.percent).toBe(100);
  }
  expect(await pidOf(system, 'replay worker')).toBe(reader);
  const truth = await oracle.buckets(day);
  expect(await compareWithOracle(system, oracle, day)).toEqual({ checked: truth.length, differing: [] });
});
