/**
 * Transactions that are in each other's way on a PostgreSQL server: one is taken back, and done again; nobody is told of it, and what follows a commit happens once.
 * And a server that goes away without a word: nobody waits for it for ever, and who comes when it is back is served.
 */
import { setImmediate } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Database, unitOfWork } from '../../src/control-plane/database/database.ts';
import { isUnreachable } from '../../src/control-plane/http/plugins/unreachable.ts';
import { type PostgresServer, startPostgres, startReplicaOf } from '../fixtures/postgres-server.ts';
import { startSilentWire } from '../fixtures/silent-wire.ts';

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
  let oneIsDone = () => {};
  const won = new Promise<void>((resolve) => (oneIsDone = resolve));
  const count = (first: string, second: string) =>
    unitOfWork(database, async ({ tx, afterCommit }) => {
      // What was given up may be taken again before the other, which waits for it, has woken: that would be a second deadlock.
      if (++runs > 2) await won;
      afterCommit(() => {
        effects.push(first);
        oneIsDone();
      });
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

test('a connection that leads to a replica, as for a while after a fail-over, is given up', async () => {
  const replica = await startReplicaOf(server);
  let leadsTo = replica;
  const wire = await startSilentWire(() => leadsTo.port);
  const url = new URL(server.url('postgres'));
  url.port = String(wire.port);
  const through = connect(url.href, 1);
  const count = () =>
    unitOfWork(through.database, ({ tx }) => tx.execute(sql`update counted set times = 1 where name = 'a'`));
  const read = () => through.database.execute(sql`select times from counted where name = 'a'`);
  // What it holds may be old.
  for (const ask of [count, read]) await expect(ask()).rejects.toSatisfy(isUnreachable);
  leadsTo = server;
  expect((await read()).rowCount).toBe(1);
  expect((await count()).rowCount).toBe(1);
  await through.pool.end();
  await wire.close();
  await replica.stop();
}, 20_000);

describe('a server that falls silent', () => {
  const limits = { connectMs: 200, silenceMs: 200 };
  const one = sql`select 1`;
  const nothing = async () => undefined;
  const standStill = async (ms: number) => {
    // Once what is asked for has been sent.
    await setImmediate();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  };

  test('is given up by all who wait for it, and serves as many as before when it is back', async () => {
    const wire = await startSilentWire(() => server.port);
    const url = new URL(server.url('postgres'));
    url.port = String(wire.port);
    const through = connect(url.href, 3, undefined, limits);
    const ask = (times: number) => Array.from({ length: times }, () => through.database.execute(one));
    let goOn = () => {};
    const silent = new Promise<void>((resolve) => (goOn = resolve));
    const underWay = unitOfWork(through.database, async ({ tx }) => {
      await tx.execute(one);
      await silent;
      await tx.execute(one);
    });
    await Promise.all(ask(2));
    wire.fallSilent();
    goOn();
    const waiting = [
      underWay,
      unitOfWork(through.database, nothing),
      through.database.execute(one),
      // These have to wait for a connection, or to make one.
      unitOfWork(through.database, nothing),
      ...ask(3),
    ];
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.map((end) => end.status === 'rejected' && isUnreachable(end.reason))).toEqual(
      waiting.map(() => true),
    );
    wire.speakAgain();
    await Promise.all(ask(4));
    expect(through.pool.totalCount).toBe(3);
    await through.pool.end();
    await wire.close();
  }, 5_000);

  test('is told from one that takes long over what may, and from a standstill of our own', async () => {
    const direct = connect(server.url('postgres'), 1, undefined, limits);
    const long = sql`select pg_sleep(0.5)`;
    await expect(direct.database.execute(long)).rejects.toSatisfy(isUnreachable);
    await direct.database.patiently(null, (patient) => patient.execute(long));
    await unitOfWork(direct.database, async ({ tx }) => {
      await Promise.all([tx.execute(one), standStill(400)]);
      await tx.execute(one);
    });
    await direct.pool.end();
  });
});
