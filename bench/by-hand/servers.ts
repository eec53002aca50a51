/** Redis and PostgreSQL as the distribution ships them, on free ports and in a scratch folder, for the length of one arm. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import pg from 'pg';
import { freePort, type RedisServer, SAFE, startRedis } from '../../apps/api/test/fixtures/redis-server.ts';
import { until } from '../../apps/api/test/system/until.ts';

export interface Servers {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly kind: ServersKind;
  stop(): Promise<void>;
}

/**
 * `unflushed`: neither flushes to disk, which is what Spillway's embedded parts promise too: a crash of the process loses nothing, a power
 * cut may. `durable`: as in production: PostgreSQL flushes at every commit, as it comes, and Redis has what a backbone needs ({@link SAFE}), an
 * append-only file, which it flushes every second.
 */
export type ServersKind = 'unflushed' | 'durable';

/** Of the demo on them. */
export function environmentOf({ redisUrl, postgresUrl, kind }: Servers): Record<string, string> {
  return {
    SPILLWAY_DATABASE_URL: postgresUrl,
    SPILLWAY_STORE_URL: postgresUrl,
    SPILLWAY_STREAM_URL: redisUrl,
    // A Redis that keeps nothing through a power cut is refused unless it is accepted.
    ...(kind === 'unflushed' ? { SPILLWAY_STREAM_ACCEPT: 'persistence' } : {}),
    SPILLWAY_DEMO: 'flights',
  };
}

const MISSING = 'is not installed; on Debian: apt-get install postgresql';

/** As much as `max_wal_size` is by default: what lies between two checkpoints of a busy server. */
const WAL_MEGABYTES = 1024;
const WAL_FILE_MEGABYTES = 16;

/** But for what their kind says, and WAL files that are reused as on a server that has run for a while, everything is as it comes. */
export async function startServers(kind: ServersKind = 'unflushed'): Promise<Servers> {
  const initdb = findOnPath('initdb') ?? newestDebian('initdb') ?? missing('PostgreSQL');
  const folder = mkdtempSync(join(tmpdir(), 'spillway-by-hand-'));
  const children: ChildProcess[] = [];
  let redis: RedisServer | null = null;
  const clean = (signal: NodeJS.Signals) => {
    for (const child of children) child.kill(signal);
    rmSync(folder, { recursive: true, force: true });
  };
  const onExit = () => clean('SIGKILL');
  process.once('exit', onExit);
  const stop = async () => {
    for (const child of children) await ended(child);
    await redis?.stop();
    process.off('exit', onExit);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const owner = databaseOwner();
    const database = join(folder, 'postgres');
    mkdirSync(database);
    for (const path of [folder, database]) if (owner !== null) chownSync(path, owner.uid, owner.gid);
    execFileSync(initdb, ['-D', database, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8'], {
      ...owner,
      cwd: database,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    redis = await startRedis(kind === 'durable' ? SAFE : ['--save', '']);
    const postgresPort = await freePort();
    const run = (path: string, args: string[], as: { uid: number; gid: number } | null) =>
      children.push(spawn(path, args, { ...as, cwd: folder, stdio: 'ignore' }));
    run(
      join(dirname(initdb), 'postgres'),
      [
        ...['-D', database, '-p', `${postgresPort}`, '-k', database, '-h', '127.0.0.1'],
        ...['-c', `min_wal_size=${WAL_MEGABYTES}MB`, ...(kind === 'durable' ? [] : ['-F'])],
      ],
      owner,
    );
    const servers = {
      redisUrl: redis.url,
      postgresUrl: `postgres://postgres@127.0.0.1:${postgresPort}/postgres`,
      kind,
      stop,
    };
    await until('PostgreSQL to answer', () => postgresAnswers(servers.postgresUrl));
    await makeWal(servers.postgresUrl);
    return servers;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** PostgreSQL refuses to run as root. */
function databaseOwner(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: '-u' | '-g') => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function findOnPath(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

function newestDebian(name: string): string | null {
  const version = (path: string) => Number(/postgresql\/(\d+)/.exec(path)?.[1] ?? 0);
  return globSync(`/usr/lib/postgresql/*/bin/${name}`).sort((a, b) => version(b) - version(a))[0] ?? null;
}

function missing(what: string): never {
  throw new Error(`${what} ${MISSING}`);
}

async function postgresAnswers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Fills and gives free as many WAL files as the server keeps for reuse. Where there is none, as on a new server, it makes one for every 16 MB that is written, while
 * all commits wait: on the disk that was measured some 20 to 60 ms, once a second of a replay.
 */
async function makeWal(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const allowMegabytes = async (most: number) => {
    await client.query(`alter system set max_wal_size = '${most}MB'`);
    await client.query('select pg_reload_conf()');
  };
  try {
    // Without a checkpoint on the way, which would give the first ones free to the last ones.
    await allowMegabytes(3 * WAL_MEGABYTES);
    for (let file = 0; file < WAL_MEGABYTES / WAL_FILE_MEGABYTES; file++)
      // Only a file with something in it is ended.
      await client.query("select pg_logical_emit_message(false, '', ''), pg_switch_wal()");
    await allowMegabytes(WAL_MEGABYTES);
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

/** SIGINT: PostgreSQL's fast shutdown. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGINT');
  });
}
