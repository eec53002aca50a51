/** An embedded database inside a statement without end: it lives, and serves nobody, until its supervisor ends it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectionUrl } from '../../src/supervise/embedded-postgres/socket-dir.ts';
import { ProcessLog } from '../../src/supervise/process-log.ts';
import { SupervisedProcess } from '../../src/supervise/supervised-process.ts';
import { copyTemplate } from '../fixtures/database-templates.ts';
import { until } from '../fixtures/started-process.ts';

const MAIN = join(import.meta.dirname, '../../src/supervise/embedded-postgres/main.ts');
/** A tenth of what is usual, and more than the two seconds between two words. */
const silenceLimit = { lookEveryMs: 1_000, looks: 3 };
const limitMs = silenceLimit.lookEveryMs * silenceLimit.looks;

let directory: string;
let warnings: string[];
let log: ProcessLog;
let database: SupervisedProcess;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spillway-watchdog-'));
  copyTemplate('initialised', directory);
  warnings = [];
  log = new ProcessLog(join(directory, 'log'), (line) => void warnings.push(line));
  database = new SupervisedProcess(
    {
      name: 'store-database',
      tier: 'database',
      entry: MAIN,
      args: () => ['--dir', directory, '--lock-wait-ms', '5000'],
      niceness: 0,
      nodeFlags: [],
      environment: () => process.env,
    },
    log,
    silenceLimit,
  );
});
afterEach(async () => {
  await database.stop(0);
  log.close();
  rmSync(directory, { recursive: true, force: true });
});

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: connectionUrl(directory) });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
const answers = () =>
  query('select count(*)::int as n from t').then(
    (rows) => JSON.stringify(rows) === '[{"n":1}]',
    () => false,
  );

it('is killed when it is stuck, started again, and has lost nothing; one that works is left alone', async () => {
  database.start();
  await until(() => query('create table t as select 1 as n').then(Boolean, () => false), 30_000, 'it is up');
  const { pid } = database;
  const upAt = performance.now();
  await until(
    async () => (await answers()) && performance.now() - upAt > 2 * limitMs,
    30_000,
    'it has answered for twice the limit',
  );
  expect(database.pid).toBe(pid);
  expect(warnings).toEqual([]);

  const stuckAt = performance.now();
  await expect(query('do $$ begin loop end loop; end $$')).rejects.toThrow();
  expect(performance.now() - stuckAt).toBeGreaterThanOrEqual(limitMs - silenceLimit.lookEveryMs);
  await until(answers, 30_000, 'it answers again');
  expect(database.pid).not.toBe(pid);
  expect(warnings[0]).toBe(
    `store-database: its event loop has not turned for ${limitMs} ms, so it is killed`,
  );
  expect(warnings[1]).toMatch(/^store-database: ended \(SIGKILL\), restarted in \d+ ms$/);
}, 120_000);
