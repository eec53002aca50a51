import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyTemplate } from '../fixtures/database-templates.ts';
import { isAlive, type StartedProcess, startProcess, until } from '../fixtures/started-process.ts';

const PROGRAM = join(import.meta.dirname, '../fixtures/plain-installation.ts');
let dataDir: string;
let started: StartedProcess[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'spillway-start-'));
  for (const name of ['control', 'store']) copyTemplate('initialised', join(dataDir, name));
  started = [];
});

afterEach(async () => {
  const pids = processes().map(({ pid }) => pid);
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ exit }) => exit));
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(environment: NodeJS.ProcessEnv = {}): Promise<{ one: StartedProcess; url: string }> {
  const one = launch(environment);
  await until(
    () => one.output.stdout.includes('\n') || one.child.exitCode !== null,
    60_000,
    'the ready line',
  );
  const [line, url] =
    /^Spillway is ready on (http:\/\/127\.0\.0\.1:\d+)\/#code=code-\d+\n$/.exec(one.output.stdout) ?? [];
  expect(line, one.output.stderr).toBe(one.output.stdout);
  return { one, url: url as string };
}

function launch(environment: NodeJS.ProcessEnv = {}): StartedProcess {
  const settings = { SPILLWAY_DATA_DIR: dataDir, SPILLWAY_PORT: '0', SPILLWAY_DEMO: 'flights' };
  const one = startProcess(PROGRAM, [], { env: { ...process.env, ...settings, ...environment } });
  started.push(one);
  return one;
}

/** Every process that was ever started on the data directory, oldest first, by its log. */
function processes(): Array<{ name: string; pid: number }> {
  const path = join(dataDir, 'logs/spillway.log');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .flatMap(({ process: name, msg }) => {
      const pid = /^started as process (\d+)$/.exec(msg)?.[1];
      return pid === undefined ? [] : [{ name, pid: Number(pid) }];
    });
}

function pidOf(name: string): number {
  return processes().findLast((one) => one.name === name)?.pid as number;
}

/** The api's answer; null while it or its database is away. */
async function ask(url: string): Promise<{ pid: number; starts: number } | null> {
  try {
    const response = await fetch(url);
    return response.ok ? ((await response.json()) as { pid: number; starts: number }) : null;
  } catch {
    return null;
  }
}

describe('start', { timeout: 120_000 }, () => {
  it('brings everything up, keeps its secrets private, refuses a second start, and drains on SIGTERM', async () => {
    const { one, url } = await start();
    const names = ['control-database', 'store-database', 'api', 'apply', 'replay-1', 'feed'];
    expect(processes().map(({ name }) => name)).toEqual(names);
    expect(await ask(url)).toEqual({ pid: pidOf('api'), starts: 1 });
    expect(statSync(join(dataDir, 'admin-token')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'admin-token'), 'utf8').trim().length).toBeGreaterThanOrEqual(43);

    const second = launch();
    expect((await second.exit).code).toBe(75);
    expect(second.output.stderr).toContain(`process ${one.pid}.`);
    expect(second.output.stdout).toBe('');

    const pids = processes().map(({ pid }) => pid);
    one.child.kill('SIGTERM');
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(readFileSync(join(dataDir, 'workers.log'), 'utf8').match(/drain/g)).toHaveLength(3);
  });

  it('drains within 10 s although a worker does not listen', async () => {
    const { one } = await start({ FIXTURE_STUBBORN: 'replay' });
    const pids = processes().map(({ pid }) => pid);
    const startedAt = performance.now();
    one.child.kill('SIGTERM');
    expect((await one.exit).code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(one.output.stderr).toContain('replay-1: did not leave in time');
  });

  it('has the api let go of what the workers need, before they leave', async () => {
    const { one } = await start({ FIXTURE_HELD_UP: 'apply' });
    one.child.kill('SIGTERM');
    expect((await one.exit).code).toBe(0);
    expect(one.output.stderr).not.toContain('did not leave in time');
    expect(readFileSync(join(dataDir, 'api.log'), 'utf8')).toBe('prepare\n');
  });

  it('starts a killed database, api or worker again: same data, same port', async () => {
    const { url } = await start();
    const before = await ask(url);
    for (const name of ['control-database', 'replay-1', 'store-database', 'api']) {
      const pid = pidOf(name);
      process.kill(pid, 'SIGKILL');
      await until(() => pidOf(name) !== pid && !isAlive(pid), 10_000, `${name} started again`);
      await until(
        async () => (await ask(url)) !== null,
        10_000,
        `the api answers after the death of ${name}`,
      );
    }
    expect((await ask(url))?.starts).toBe((before?.starts ?? 0) + 1);
  });

  it('leaves no process behind after a kill -9, and starts again on the same data', async () => {
    const { one } = await start();
    const pids = processes().map(({ pid }) => pid);
    expect(pids.every(isAlive)).toBe(true);
    one.child.kill('SIGKILL');
    await until(() => !pids.some(isAlive), 10_000, 'all processes gone');
    const { url } = await start();
    expect((await ask(url))?.starts).toBe(2);
  });

  it('starts again at once after all of its processes are killed together', async () => {
    const { one } = await start();
    for (const { pid } of processes()) process.kill(pid, 'SIGKILL');
    one.child.kill('SIGKILL');
    const { url } = await start();
    expect((await ask(url))?.starts).toBe(2);
  });

  it('says what does not start, and ends', async () => {
    const one = launch({ SPILLWAY_DATABASE_URL: 'postgres://localhost:1/none' });
    expect((await one.exit).code).toBe(1);
    expect(one.output.stderr).toMatch(/api does not start/);
    expect(one.output.stdout).toBe('');
    const [first, second] = [...one.output.stderr.matchAll(/api: ended \(.*\), restarted in (\d+) ms/g)].map(
      (hit) => Number(hit[1]),
    );
    expect(first).toBeLessThanOrEqual(100);
    expect(second).toBeGreaterThanOrEqual(100);
  });
});
