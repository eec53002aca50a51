/** Whatever dies, and wherever: nothing lost, nothing twice, and acknowledged is within committed (invariants 1-5). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import type { Observation } from '../../src/data-plane/apply/observations.ts';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import type { DurableStream, Publisher, Store, StreamEntry } from '../../src/data-plane/ports.ts';
import { StoreOracle } from '../conformance/store/store-oracle.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';
import { startPostgres } from '../fixtures/postgres-server.ts';
import { type StartedProcess, startProcess, until } from '../fixtures/started-process.ts';
import { type KillPoint, killPoints } from './apply-process.ts';

const JANUARY = Date.UTC(2001, 0);
const RANGE = { from: JANUARY, to: Date.UTC(2001, 1) };
const SOURCES = ['west', 'east'];
const LIVE: Publisher = { kind: 'live' };

/** A database that can be killed. */
interface Database {
  readonly url: string;
  sql(statement: string): Promise<Record<string, unknown>[]>;
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

async function startServer(): Promise<Database> {
  const server = await startPostgres();
  return {
    url: server.url('postgres'),
    sql: async (statement) => (await server.sql(statement)).rows as Record<string, unknown>[],
    kill: () => server.crash(),
    start: () => server.startAgain(),
    remove: () => server.stop(),
  };
}

let database: Database;
let folder: string;
let store: Store;
let live: DurableStream;
let replay: DurableStream;
let oracle: StoreOracle;
let published: Map<string, number>;

const event = (number: number): PipelineEvent => ({
  id: `flights.parquet#${number}`,
  sourceId: SOURCES[number % 2] as string,
  key: ['LAX', 'ORD', 'SEA'][number % 3] as string,
  at: JANUARY + number * 20_000,
  value: (number * 37) % 101,
});

async function publish(
  stream: DurableStream,
  publisher: Publisher,
  first: number,
  count: number,
): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => event(first + index));
  const entries: StreamEntry[] = events.map((one) => ({
    type: 'event',
    event: one,
    publisher,
    publishedAt: Date.now(),
  }));
  if (publisher.kind === 'backfill') {
    entries.push({
      type: 'marker',
      backfillId: publisher.backfillId,
      leaseId: `lease-${first}`,
      fencingToken: 1,
      count,
      publishedAt: Date.now(),
    });
    published.set(publisher.backfillId, (published.get(publisher.backfillId) ?? 0) + count);
  }
  await stream.producer.append(entries);
  oracle.apply(publisher, events);
}

/** In two attempts that overlap. */
async function publishHistory(first: number): Promise<void> {
  for (let part = 0; part < 5; part++)
    await publish(replay, { kind: 'backfill', backfillId: 'january' }, first + part * 300, 400);
  await publish(replay, { kind: 'backfill', backfillId: 'again' }, first, 200);
}

/** History beside live, which overlaps with both its attempts. */
async function publishMore(round: number): Promise<void> {
  const first = round * 1_500;
  await publishHistory(first);
  for (let part = 0; part < 20; part++) await publish(live, LIVE, first + 1_200 + part * 30, 31);
}

async function runUntil(
  point: KillPoint,
  times: number,
): Promise<{ signal: NodeJS.Signals | null; told: Told | null; stderr: string }> {
  const applier = startApplier(point, times);
  if (point === 'never') applier.child.send('finish');
  const told = applier.ready.catch(() => null) as Promise<unknown> as Promise<Told | null>;
  const { signal } = await applier.exit;
  return { signal, told: await told, stderr: applier.output.stderr };
}

interface Told {
  end: unknown;
  observation: Observation;
}

function startApplier(
  point: KillPoint,
  times = 0,
  signal: 'SIGKILL' | 'SIGSTOP' = 'SIGKILL',
): StartedProcess {
  return startProcess(join(import.meta.dirname, 'apply-process.ts'), [
    database.url,
    folder,
    point,
    String(times),
    signal,
  ]);
}

async function expectAcknowledgedWithinCommitted(): Promise<void> {
  for (const stream of [live, replay]) {
    // First what follows: the applier may be at work.
    const { group, length, lastOffset } = await stream.stats(APPLIER_GROUP);
    const acknowledged = group?.acknowledged ?? '';
    const committed =
      (
        await database.sql(`select position from spillway.stream_positions where stream = '${stream.name}'`)
      )[0]?.['position'] ?? '';
    expect(
      acknowledged <= (committed as string),
      `${stream.name}: acknowledged ${acknowledged}, committed ${committed}`,
    ).toBe(true);
    // Trimmed ⊆ acknowledged: what is not acknowledged is still there.
    expect(length).toBeGreaterThanOrEqual(Number(lastOffset) - Number(acknowledged));
  }
}

async function expectAllThereOnce(): Promise<void> {
  for (const sourceId of SOURCES) {
    const proof = await store.proof({ sourceId, range: RANGE });
    const expected = new Set(
      oracle
        .buckets()
        .filter((bucket) => bucket.sourceId === sourceId)
        .map(({ key, start, count, sum, hash }) => JSON.stringify({ key, start, count, sum, hash })),
    );
    expect(new Set(proof.events.map((digest) => JSON.stringify(digest)))).toEqual(expected);
    expect(new Set(proof.buckets.map((digest) => JSON.stringify(digest)))).toEqual(expected);
  }
  const counters = await store.counters([...published.keys()]);
  expect(
    new Map(counters.map((counter) => [counter.backfillId, counter.applied + counter.duplicate])),
  ).toEqual(published);
  expect(counters.every((counter) => counter.quarantined === 0)).toBe(true);
  expect((await store.stats()).eventRows).toBe(oracle.events.length);
}

describe.each<[string, () => Promise<Database>]>([
  ['one loop, on an embedded database', () => EmbeddedStoreDatabase.start()],
  ['live and replay side by side, on a server', startServer],
])('%s', (_, start) => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-streams-'));
    database = await start();
    store = await openPostgresStore({ url: database.url });
    await store.migrate();
    live = await openEmbeddedStream({ directory: folder, name: 'live' });
    replay = await openEmbeddedStream({ directory: folder, name: 'replay' });
    oracle = new StoreOracle();
    published = new Map();
  });

  afterEach(async () => {
    await store.close();
    await live.close();
    await replay.close();
    await database.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('survives the death of the applier at every point', async () => {
    let round = 0;
    for (const times of [1, 3]) {
      for (const point of killPoints) {
        await publishMore(round++);
        const { signal, stderr } = await runUntil(point, point === 'claim' ? Math.min(2, times) : times);
        expect(signal, stderr).toBe('SIGKILL');
        await expectAcknowledgedWithinCommitted();
      }
    }
    const { told, signal, stderr } = await runUntil('never', 0);
    expect(signal, stderr).toBeNull();
    expect(told?.end).toEqual({ reason: 'stopped' });
    // What the last process told equals what the store holds, though it saw only the end of it.
    expect(
      [...(told?.observation.counters ?? [])].sort((a, b) => (a.backfillId < b.backfillId ? -1 : 1)),
    ).toEqual(await store.counters(['again', 'january']));
    expect(
      told?.observation.streams
        .map(({ stream, position }) => ({ stream, position }))
        .sort((a, b) => (a.stream < b.stream ? -1 : 1)),
    ).toEqual([
      { stream: 'live', position: (await live.stats(APPLIER_GROUP)).lastOffset },
      { stream: 'replay', position: (await replay.stats(APPLIER_GROUP)).lastOffset },
    ]);
    await expectAllThereOnce();
  });

  it('goes on by itself when the database dies and comes back, in the middle of commits', async () => {
    const applier = startApplier('never');
    for (let death = 0; death < 3; death++) {
      const before = await insertedRows();
      for (let part = 0; part < 4; part++) await publishMore(death * 4 + part);
      await until(async () => (await insertedRows()) > before, 20_000, 'the applier commits');
      await database.kill();
      await expect(store.counters(['january'])).rejects.toMatchObject({ code: 'store_unavailable' });
      await database.start();
      await expectAcknowledgedWithinCommitted();
      expect(applier.child.exitCode, applier.output.stderr).toBeNull();
    }
    applier.child.send('finish');
    const told = (await applier.ready) as unknown as Told;
    expect(told.end).toEqual({ reason: 'stopped' });
    await expectAllThereOnce();
  });

  it('a stopped applier that wakes up after another has taken over commits nothing and ends as fenced (8)', async () => {
    // Between two commits, and with nothing for live to do. Stopped in the middle of a write it would keep the stream's one write lock, and everybody would wait for it.
    const old = startApplier('before-commit', 2, 'SIGSTOP');
    await publishHistory(0);
    await until(() => old.output.stderr.includes('SIGSTOP'), 20_000, 'the old applier stops');
    expect(await insertedRows()).toBeGreaterThan(0);
    for (let round = 1; round < 4; round++) await publishMore(round);
    expect((await runUntil('never', 0)).told?.end).toEqual({ reason: 'stopped' });
    const rows = await insertedRows();
    old.child.kill('SIGCONT');
    await publish(live, LIVE, 10_000, 10);
    expect(((await old.ready) as unknown as Told).end).toMatchObject({ reason: 'fenced' });
    expect(await insertedRows()).toBe(rows);
    await runUntil('never', 0);
    await expectAllThereOnce();
  });
});

async function insertedRows(): Promise<number> {
  return (await store.stats()).eventRows ?? 0;
}
