import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startParameters } from '../../src/supervise/embedded-postgres/settings.ts';
import { connectionUrl, SOCKET_NAME } from '../../src/supervise/embedded-postgres/socket-dir.ts';
import { queryMessage, startupMessage } from '../../src/supervise/embedded-postgres/wire-frames.ts';
import { serveWire, type WireServer } from '../../src/supervise/embedded-postgres/wire-server.ts';
import { until } from '../fixtures/started-process.ts';

const HOLD_LIMIT_MS = 400;
const CONNECTIONS_MAX = 8;
const directory = mkdtempSync(join(tmpdir(), 'spillway-wire-'));
const broken: unknown[] = [];
let database: PGlite;
let server: WireServer;
const opened: pg.Client[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  database = await PGlite.create({
    dataDir: join(directory, 'pgdata'),
    startParams: startParameters('16MB'),
  });
  server = await serveWire({
    database,
    socketPath: join(directory, SOCKET_NAME),
    connectionsMax: CONNECTIONS_MAX,
    holdLimitMs: HOLD_LIMIT_MS,
    checkpointEveryBytes: 1024 * 1024,
    onBroken: (error) => void broken.push(error),
  });
  const client = await open();
  await client.query('CREATE TABLE t (id integer PRIMARY KEY)');
}, 60_000);

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(opened.splice(0).map((client) => client.end().catch(() => undefined)));
  expect(broken).toEqual([]);
});

afterAll(async () => {
  await server.close();
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: connectionUrl(directory) });
  client.on('error', () => undefined);
  await client.connect();
  opened.push(client);
  return client;
}

/** A client that speaks bytes, so that it can stop half way. */
async function openRaw(): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(join(directory, SOCKET_NAME));
  sockets.push(socket);
  let heard = '';
  socket.on('data', (chunk) => void (heard += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(startupMessage());
  await until(() => heard.endsWith('Z\0\0\0\x05I'), 5_000, 'the greeting');
  heard = '';
  return { socket, heard: () => heard };
}

function message(type: string, body: string): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(Buffer.byteLength(body, 'latin1') + 4, 1);
  return Buffer.concat([header, Buffer.from(body, 'latin1')]);
}

async function timedMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

describe('many connections on one embedded database', () => {
  it('each get their own answers, in transactions and out', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, open));
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; round < 50; round++) {
          const value = index * 1_000 + round;
          expect((await client.query('SELECT $1::int AS v', [value])).rows).toEqual([{ v: value }]);
          await client.query('BEGIN');
          expect((await client.query('SELECT $1::text AS v', [`t${value}`])).rows).toEqual([
            { v: `t${value}` },
          ]);
          await client.query('COMMIT');
        }
      }),
    );
  });

  it('do not mix when one stops between its Parse and its Bind', async () => {
    const slow = await openRaw();
    const other = await open();
    slow.socket.write(message('P', '\0SELECT 41 + 1\0\0\0'));
    for (let round = 0; round < 5; round++)
      expect((await other.query('SELECT $1::int AS v', [7])).rows[0].v).toBe(7);
    slow.socket.write(
      Buffer.concat([message('B', '\0\0\0\0\0\0\0\0'), message('E', '\0\0\0\0\0'), message('S', '')]),
    );
    await until(() => slow.heard().endsWith('I'), 5_000, 'an answer');
    expect(slow.heard()).toContain('42');
  });

  it('may use the same name for different prepared statements, again after leaving', async () => {
    for (let round = 0; round < 3; round++) {
      const [one, two] = [await open(), await open()];
      expect((await one.query({ name: 'get', text: 'SELECT $1::int + 1 AS v', values: [1] })).rows[0].v).toBe(
        2,
      );
      expect((await two.query({ name: 'get', text: 'SELECT $1::text AS v', values: ['x'] })).rows[0].v).toBe(
        'x',
      );
      expect((await one.query({ name: 'get', text: 'SELECT $1::int + 1 AS v', values: [5] })).rows[0].v).toBe(
        6,
      );
      await Promise.all([one.end(), two.end()]);
    }
    const last = await open();
    await until(
      async () => (await last.query('SELECT * FROM pg_prepared_statements')).rowCount === 0,
      5_000,
      'statements closed',
    );
  });

  it('are refused by code when there are too many, and let in again when some have left', async () => {
    const clients = await Promise.all(Array.from({ length: CONNECTIONS_MAX }, open));
    await expect(open()).rejects.toMatchObject({ code: '53300' });
    await clients[0]?.end();
    await until(
      () =>
        open().then(
          () => true,
          () => false,
        ),
      5_000,
      'a free place',
    );
  });

  it('survive COPY FROM STDIN, which would end the engine', async () => {
    const client = await open();
    await expect(client.query('COPY t FROM STDIN')).rejects.toMatchObject({ code: '0A000' });
    await expect(client.query('SELECT 1')).resolves.toBeDefined();
  });
});

describe('a client that leaves or falls silent in a transaction', () => {
  it('is rolled back at once when it dies', async () => {
    const dying = await openRaw();
    const other = await open();
    dying.socket.write(queryMessage('BEGIN'));
    dying.socket.write(queryMessage('INSERT INTO t VALUES (1)'));
    await until(() => dying.heard().endsWith('T'), 5_000, 'an open transaction');
    const blocked = other.query('SELECT * FROM t WHERE id = 1');
    dying.socket.destroy();
    const waitedMs = await timedMs(async () => expect((await blocked).rows).toEqual([]));
    expect(waitedMs).toBeLessThan(HOLD_LIMIT_MS / 2);
  });

  it('is rolled back also when it dies before its BEGIN is answered, or in a failed group without Sync', async () => {
    const other = await open();
    for (const last of [
      queryMessage('BEGIN'),
      Buffer.concat([message('P', '\0SELECT nope\0\0\0'), message('H', '')]),
    ]) {
      for (let round = 0; round < 20; round++) {
        const dying = await openRaw();
        dying.socket.write(last);
        dying.socket.destroy();
        expect(await timedMs(() => other.query('SELECT 1'))).toBeLessThan(HOLD_LIMIT_MS / 2);
      }
    }
  });

  it('is ended with 25P03 when it keeps others waiting, and they go on', async () => {
    const silent = await open();
    const other = await open();
    await silent.query('BEGIN');
    await silent.query('INSERT INTO t VALUES (2)');
    const waitedMs = await timedMs(async () =>
      expect((await other.query('SELECT * FROM t WHERE id = 2')).rows).toEqual([]),
    );
    expect(waitedMs).toBeGreaterThan(HOLD_LIMIT_MS * 0.5);
    expect(waitedMs).toBeLessThan(HOLD_LIMIT_MS * 3);
    await expect(silent.query('COMMIT')).rejects.toBeDefined();
  });

  it('is ended in time also when more and more others come to wait', async () => {
    const silent = await open();
    await silent.query('BEGIN');
    const startedAt = performance.now();
    const waiting: Promise<unknown>[] = [];
    let servedAt = Number.POSITIVE_INFINITY;
    for (const other of await Promise.all([open(), open(), open(), open(), open()])) {
      const from = performance.now();
      waiting.push(
        other.query('SELECT 1').then(() => {
          servedAt = Math.min(servedAt, performance.now());
        }),
      );
      await until(() => performance.now() - from > HOLD_LIMIT_MS * 0.6, 5_000, 'the next to come');
    }
    await Promise.all(waiting);
    // Counted from each arrival anew, it would be after the last of them: five times 0.6, and one more.
    expect(servedAt - startedAt).toBeLessThan(HOLD_LIMIT_MS * 3);
    await expect(silent.query('COMMIT')).rejects.toBeDefined();
  });

  it('may take its time while nobody waits', async () => {
    const silent = await open();
    await silent.query('BEGIN');
    const startedAt = performance.now();
    await until(() => performance.now() - startedAt > HOLD_LIMIT_MS * 2.5, 5_000, 'a long silence');
    await expect(silent.query('COMMIT')).resolves.toBeDefined();
  });
});

describe('the log of an embedded database', () => {
  it('is checkpointed by its volume, which PGlite never does', async () => {
    const client = await open();
    const redo = async () =>
      (await client.query('SELECT redo_lsn FROM pg_control_checkpoint()')).rows[0].redo_lsn;
    const before = await redo();
    await client.query('INSERT INTO t SELECT generate_series(1000, 30000)');
    await until(async () => (await redo()) !== before, 4_000, 'a checkpoint');
  });
});
