import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyTemplate } from '../fixtures/database-templates.ts';
import { type StartedProcess, startProcess, until } from '../fixtures/started-process.ts';

const MAIN = 'supervise/embedded-postgres/main.ts';
const EXIT_DATA_DIR_IN_USE = 75;
let directory: string;
let started: StartedProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spillway-pg-'));
  copyTemplate('initialised', directory);
  started = [];
});

afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ exit }) => exit));
  rmSync(directory, { recursive: true, force: true });
});

function start(): StartedProcess {
  const one = startProcess(MAIN, ['--dir', directory, '--shared-buffers', '16MB']);
  started.push(one);
  return one;
}

async function query(process: StartedProcess, sql: string): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: (await process.ready).url as string });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('an embedded PostgreSQL', { timeout: 90_000 }, () => {
  it('keeps what it acknowledged over kill -9, many times', async () => {
    let acknowledged = 0;
    for (let round = 0; round < 4; round++) {
      const one = start();
      await query(one, 'CREATE TABLE IF NOT EXISTS t (id integer PRIMARY KEY)');
      expect(await query(one, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: acknowledged }]);
      await query(one, `INSERT INTO t SELECT generate_series(${acknowledged + 1}, ${acknowledged + 5_000})`);
      acknowledged += 5_000;
      one.child.kill('SIGKILL');
      await one.exit;
    }
  });

  it('is one process per data directory: of twenty openers one serves, the others name it and exit (invariant 17)', async () => {
    const openers = Array.from({ length: 20 }, start);
    const outcomes = await Promise.all(
      openers.map(({ ready, exit }) =>
        Promise.race([ready.then(() => 'serves' as const), exit.then(({ code }) => code)]),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'serves')).toHaveLength(1);
    const winner = openers[outcomes.indexOf('serves')] as StartedProcess;
    for (const loser of openers.filter((opener) => opener !== winner)) {
      expect((await loser.exit).code).toBe(EXIT_DATA_DIR_IN_USE);
      expect(loser.output.stderr).toContain(`process ${winner.pid}.`);
    }
  });

  it('leaves no lock behind when it is killed', async () => {
    const first = start();
    await first.ready;
    first.child.kill('SIGKILL');
    await first.exit;
    await start().ready;
  });

  it('starts again after a kill in the middle of its first initialisation', async () => {
    rmSync(join(directory, 'pgdata'), { recursive: true });
    const first = start();
    await until(() => existsSync(join(directory, 'pgdata.unfinished')), 30_000, 'initialisation under way');
    first.child.kill('SIGKILL');
    await first.exit;
    expect(existsSync(join(directory, 'pgdata'))).toBe(false);
    expect(await query(start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('leaves when its parent closes the channel, and when it is told to by SIGTERM', async () => {
    const first = start();
    await first.ready;
    first.child.disconnect();
    expect(await first.exit).toEqual({ code: 0, signal: null });
    await (await stopped(start())).exit;
  });
});

async function stopped(one: StartedProcess): Promise<StartedProcess> {
  await one.ready;
  one.child.kill('SIGTERM');
  expect(await one.exit).toEqual({ code: 0, signal: null });
  return one;
}
