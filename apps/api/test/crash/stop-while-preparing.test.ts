/** An api that is told to stop while it still waits for a database: it ends like any other, without a word of what it was waiting for. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { freePort } from '../fixtures/redis-server.ts';
import { type StartedProcess, startProcess } from '../fixtures/started-process.ts';
import { until } from '../system/until.ts';

/** Of the ten seconds promised, what is left to the others. */
const STOPS_WITHIN_MS = 7_000;
/** drizzle/store's migrations wait for each other on it. */
const MIGRATIONS_LOCK = 7_203_514_998;

let server: PostgresServer;
let folder: string;
let closedPort: number;
const started: ChildProcess[] = [];

beforeAll(async () => {
  server = await startPostgres();
  for (const name of ['control', 'store']) await server.sql(`create database ${name}`);
  closedPort = await freePort();
  folder = mkdtempSync(join(tmpdir(), 'spillway-stop-'));
}, 60_000);
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const away = (database: string) => server.url(database).replace(`:${server.port}`, `:${closedPort}`);

function startApi(control: string, store: string): StartedProcess {
  const api = startProcess('server.ts', [], {
    env: {
      PATH: process.env['PATH'],
      SPILLWAY_PORT: '0',
      SPILLWAY_DATA_DIR: folder,
      SPILLWAY_DATABASE_URL: control,
      SPILLWAY_STORE_URL: store,
    },
  });
  started.push(api.child);
  return api;
}

const untilItSays = ({ output }: StartedProcess, words: RegExp) =>
  until(`the api to say ${words}`, () => words.exec(output.stdout) ?? false);

/** A request that never ends holds the stop up for longer than it takes until the database is asked again. */
async function askSlowly({ output }: StartedProcess): Promise<void> {
  const address = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(output.stdout);
  const client = connect(Number(address?.[1]), '127.0.0.1').on('error', () => undefined);
  await once(client, 'connect');
  client.write(
    'POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
}

async function stop({ child, exit, output }: StartedProcess) {
  const fromMs = performance.now();
  child.kill('SIGTERM');
  const { code } = await exit;
  const levels = output.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { level: number }).level);
  return {
    code,
    errors: levels.filter((level) => level >= 50),
    stderr: output.stderr,
    ms: performance.now() - fromMs,
  };
}

const quietly = { code: 0, errors: [], stderr: '' };

it.each<[string, () => [control: string, store: string], RegExp]>([
  [
    'the control database is away',
    () => [away('control'), server.url('store')],
    /could not hold the control database yet/,
  ],
  ['the store is away', () => [server.url('control'), away('store')], /could not prepare the store yet/],
])('while %s', { timeout: 120_000 }, async (_what, urls, says) => {
  const api = startApi(...urls());
  await untilItSays(api, says);
  await askSlowly(api);
  expect(await stop(api)).toMatchObject(quietly);
});

it('while the store lets it wait', { timeout: 120_000 }, async () => {
  const other = new pg.Client(server.url('store'));
  await other.connect();
  await other.query(`select pg_advisory_lock(${MIGRATIONS_LOCK})`);
  const api = startApi(server.url('control'), server.url('store'));
  await until('it to wait', async () => {
    const { rows } = await other.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
    return rows.length > 0;
  });
  const { ms, ...end } = await stop(api);
  await other.end();
  expect(end).toEqual(quietly);
  expect(ms).toBeLessThan(STOPS_WITHIN_MS);
});
