/**
 * An embedded PostgreSQL as a process: `main.ts --dir DIR --socket-dir DIR --shared-buffers 32MB`.
 *
 * Serves one data directory on the unix socket `.s.PGSQL.5432` of the socket directory, where node-postgres and
 * `psql -h DIR` look for it. Survives kill -9 (its write-ahead log is in the operating system's cache by then) but not
 * the loss of power: PGlite never calls fsync.
 */
import { fork } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { announceReady, keepSayingAlive, onDrain } from '../channel.ts';
import { DataDirInUseError, lockDataDir } from '../data-dir-lock.ts';
import { CHECKPOINT_EVERY_BYTES, CONNECTIONS_MAX, HOLD_LIMIT_MS, startParameters } from './settings.ts';
import { connectionUrl, SOCKET_NAME } from './socket-dir.ts';
import { serveWire } from './wire-server.ts';

const EXIT_DATA_DIR_IN_USE = 75;
const EXIT_ENGINE_BROKEN = 70;

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    'socket-dir': { type: 'string' },
    'shared-buffers': { type: 'string', default: '32MB' },
    'lock-wait-ms': { type: 'string', default: '0' },
    'hold-limit-ms': { type: 'string', default: String(HOLD_LIMIT_MS) },
  },
});
if (options.dir === undefined) throw new Error('--dir is missing');
const directory = options.dir;
const socketDirectory = options['socket-dir'] ?? directory;

// Until onDrain below: opening may be cut short at any point, as by kill -9.
const leave = (): never => process.exit(1);
process.once('disconnect', leave);

const lock = await lockDataDir(directory, Number(options['lock-wait-ms'])).catch((error: unknown) => {
  if (!(error instanceof DataDirInUseError)) throw error;
  console.error(error.message);
  process.exit(EXIT_DATA_DIR_IN_USE);
});

const dataDirectory = join(directory, 'pgdata');
if (!existsSync(dataDirectory)) await initialise(dataDirectory);
const database = await PGlite.create({
  dataDir: dataDirectory,
  startParams: startParameters(options['shared-buffers']),
  onStderr: (text) => {
    if (/\b(FATAL|PANIC)\b/.test(text)) console.error(text);
    return false;
  },
});

const socketPath = join(socketDirectory, SOCKET_NAME);
rmSync(socketPath, { force: true }); // a predecessor's, which is gone: this process holds the lock
const server = await serveWire({
  database,
  socketPath,
  connectionsMax: CONNECTIONS_MAX,
  holdLimitMs: Number(options['hold-limit-ms']),
  checkpointEveryBytes: CHECKPOINT_EVERY_BYTES,
  onBroken: (error) => {
    console.error('The embedded database is broken and ends:', error);
    process.exit(EXIT_ENGINE_BROKEN);
  },
});
chmodSync(socketPath, 0o600);

process.off('disconnect', leave);
onDrain(async () => {
  await server.close();
  await database.close();
  lock.release();
});
announceReady({ url: connectionUrl(socketDirectory) });
keepSayingAlive();

function initialise(dataDir: string): Promise<void> {
  const child = fork(join(import.meta.dirname, 'initialise.ts'), [dataDir], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`initialising ${dataDir} failed (${signal ?? code})`));
    });
  });
}
