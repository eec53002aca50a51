/** PGlite has no autovacuum: what the applier's vacuum calls keep small, and what mixed duplicates waste. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import type { Store } from '../../src/data-plane/ports.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';

let database: EmbeddedStoreDatabase;
let store: Store;

beforeAll(async () => {
  database = await EmbeddedStoreDatabase.start();
  store = await openPostgresStore({ url: database.url });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await database.remove();
});

/** PostgreSQL tells its statistics once a second, unless it is asked to. */
const deadRows = async (table: string): Promise<number> => {
  await database.sql('select pg_stat_force_next_flush()');
  return Number(
    (
      await database.sql(
        `select n_dead_tup from pg_stat_user_tables where schemaname = 'spillway' and relname = '${table}'`,
      )
    )[0]?.['n_dead_tup'],
  );
};

it('wastes at most a tenth on duplicates that come in every second batch', async () => {
  const { fence } = await store.claim('mixed');
  const batch = (first: number): PipelineEvent[] =>
    Array.from({ length: 200 }, (_, index) => ({
      id: `e${first + index}`,
      sourceId: 'west',
      key: `K${index}`,
      at: Date.UTC(2001, 0) + first + index,
      value: 1,
    }));
  // The last event of every second batch is known: a plain insert fails at the end of all its work.
  const known: PipelineEvent = {
    id: 'known',
    sourceId: 'west',
    key: 'K',
    at: Date.UTC(2001, 0, 31),
    value: 1,
  };
  let applied = 0;
  for (let number = 0; number < 60; number++) {
    const events = number % 2 === 0 && number > 0 ? batch(number * 200) : [...batch(number * 200), known];
    applied += (
      await store.apply({
        stream: 'mixed',
        fence,
        publisher: { kind: 'live' },
        events,
        position: String(number).padStart(4, '0'),
      })
    ).inserted;
  }
  expect(applied).toBe(12_001);
  expect(await deadRows('events_2001_01')).toBeLessThan(1_200);
});

it('one call removes the dead rows of the table that has most, and leaves a clean store alone', async () => {
  await database.sql(`insert into spillway.buckets (source_id, start, key, count, sum, min, max, hash, last_publisher)
    select 'bulk', n, 'K', 1, 1, 1, 1, 1, '' from generate_series(1, 5000) n`);
  await database.sql(`delete from spillway.buckets where source_id = 'bulk' and start % 2 = 0`);
  expect(await deadRows('buckets')).toBeGreaterThanOrEqual(2_500);
  await store.vacuum();
  expect(await deadRows('buckets')).toBeLessThan(100);
  const vacuums = async () =>
    (await database.sql(`select sum(vacuum_count)::int as count from pg_stat_user_tables`))[0]?.['count'];
  const before = await vacuums();
  await store.vacuum();
  expect(await vacuums()).toBe(before);
});

it('what has died since the last call goes with the next, however soon that comes', async () => {
  await store.vacuum();
  for (const source of ['soon', 'sooner']) {
    await database.sql(`insert into spillway.buckets (source_id, start, key, count, sum, min, max, hash, last_publisher)
      select '${source}', n, 'K', 1, 1, 1, 1, 1, '' from generate_series(1, 5000) n`);
    await database.sql(`delete from spillway.buckets where source_id = '${source}'`);
    await store.vacuum();
  }
  expect(await deadRows('buckets')).toBeLessThan(100);
});

it('updates of a batch that meets half of the buckets of every page stay off the index', async () => {
  await database.sql(`insert into spillway.buckets (source_id, start, key, count, sum, min, max, hash, last_publisher)
    select 'full', n, 'K', 1, 1, 1, 1, 1, '' from generate_series(1, 5000) n`);
  const updates = async () => {
    await database.sql('select pg_stat_force_next_flush()');
    return (
      await database.sql(
        `select n_tup_upd::int as all, n_tup_hot_upd::int as hot from pg_stat_user_tables where relname = 'buckets'`,
      )
    )[0] as { all: number; hot: number };
  };
  const before = await updates();
  for (const odd of [0, 1])
    await database.sql(
      `update spillway.buckets set count = count + 1 where source_id = 'full' and start % 2 = ${odd}`,
    );
  const after = await updates();
  expect(after.all - before.all).toBe(5_000);
  expect(after.hot - before.hot).toBeGreaterThan(4_900);
});
