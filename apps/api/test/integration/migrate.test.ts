import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/control-plane/database/database.ts';
import { maintain } from '../../src/control-plane/database/maintenance.ts';
import { migrate } from '../../src/control-plane/database/migrate.ts';
import { startControlDatabase } from '../fixtures/control-database.ts';
import { startPostgres } from '../fixtures/postgres-server.ts';

const onEmbedded = async () => {
  const embedded = await startControlDatabase();
  return {
    async emptied() {
      await run(embedded.url, 'drop schema public cascade; create schema public');
      return embedded.url;
    },
    end: () => embedded.end(),
  };
};

const onServer = async () => {
  const server = await startPostgres();
  let made = 0;
  return {
    async emptied() {
      await server.sql(`create database migrate_${++made}`);
      return server.url(`migrate_${made}`);
    },
    end: () => server.stop(),
  };
};

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

describe.each([
  ['the embedded database', onEmbedded],
  ['a PostgreSQL server', onServer],
])('on %s', (_, start) => {
  let databases: Awaited<ReturnType<typeof start>>;
  const emptied = () => databases.emptied();

  beforeAll(async () => {
    databases = await start();
  });
  afterAll(() => databases?.end());

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
});
