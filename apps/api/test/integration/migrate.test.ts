import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/control-plane/database/database.ts';
import { maintain } from '../../src/control-plane/database/maintenance.ts';
import { migrate } from '../../src/control-plane/database/migrate.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let embedded: ControlDatabase;

beforeAll(async () => {
  embedded = await startControlDatabase();
});
afterAll(() => embedded.end());

/** `SPILLWAY_TEST_POSTGRES_URL` adds a real PostgreSQL, in a database of its own. */
async function emptied(): Promise<string> {
  const server = process.env['SPILLWAY_TEST_POSTGRES_URL'];
  if (server === undefined) {
    const client = new pg.Client({ connectionString: embedded.url });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    await client.end();
    return embedded.url;
  }
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  const name = `migrate_${randomUUID().replaceAll('-', '')}`;
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

test('twenty concurrent starts apply each migration once', async () => {
  const url = await emptied();
  await Promise.all(Array.from({ length: 20 }, () => migrate(url)));
  const { database, pool } = connect(url, 1);
  const { rows } = await database.execute<{ version: number }>(sql`select version from spillway_schema`);
  expect(rows).toEqual([{ version: expect.any(Number) }]);
  expect(rows[0]?.version).toBeGreaterThan(0);
  await maintain(database);
  await pool.end();
});

test('a schema newer than the code knows is refused and left alone', async () => {
  const url = await emptied();
  await migrate(url);
  const { database, pool } = connect(url, 1);
  await database.execute(sql`update spillway_schema set version = 1000`);
  await expect(migrate(url)).rejects.toMatchObject({ code: 'schema_newer' });
  const { rows } = await database.execute<{ version: number }>(sql`select version from spillway_schema`);
  expect(rows[0]?.version).toBe(1000);
  await pool.end();
});
