/** Transactions that are in each other's way on a PostgreSQL server: one is taken back, and done again; nobody is told of it, and what follows a commit happens once. */
import { sql } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Database, unitOfWork } from '../../src/control-plane/database/database.ts';
import { type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';

let server: PostgresServer;
let database: Database;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startPostgres({ deadlock_timeout: '50ms' });
  ({ database, pool } = connect(server.url('postgres'), 4));
  await database.execute(sql`create table counted (name text primary key, times integer not null)`);
  await database.execute(sql`insert into counted values ('a', 0), ('b', 0)`);
});
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

test('a deadlock is resolved by doing one of the two again', async () => {
  let runs = 0;
  const effects: string[] = [];
  let met = 0;
  let bothHold = () => {};
  const meeting = new Promise<void>((resolve) => (bothHold = resolve));
  const count = (first: string, second: string) =>
    unitOfWork(database, async ({ tx, afterCommit }) => {
      runs += 1;
      afterCommit(() => void effects.push(first));
      await tx.execute(sql`update counted set times = times + 1 where name = ${first}`);
      if (++met === 2) bothHold();
      await meeting;
      await tx.execute(sql`update counted set times = times + 1 where name = ${second}`);
    });
  await Promise.all([count('a', 'b'), count('b', 'a')]);
  expect(runs).toBe(3);
  expect(effects.toSorted()).toEqual(['a', 'b']);
  const { rows } = await database.execute(sql`select name, times from counted order by name`);
  expect(rows).toEqual([
    { name: 'a', times: 2 },
    { name: 'b', times: 2 },
  ]);
});

test('what fails for another reason is told at once, and nothing follows it', async () => {
  let runs = 0;
  let followed = false;
  const refused = unitOfWork(database, async ({ tx, afterCommit }) => {
    runs += 1;
    afterCommit(() => void (followed = true));
    await tx.execute(sql`insert into counted values ('a', 0)`);
  });
  await expect(refused).rejects.toMatchObject({ cause: { code: '23505' } });
  expect({ runs, followed }).toEqual({ runs: 1, followed: false });
});
