/** One api works on a control database of a PostgreSQL server: a second is refused, and the one that follows a killed one is not locked out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEASE_MS, RENEW_MS } from '../../src/control-plane/api-lease/holder.ts';
import { type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { pidOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, startSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const EXIT_IN_USE = 75;
const REFUSAL =
  /Another api works on this control database: process \d+ on \S+, at http:\/\/127\.0\.0\.1:\d+, since \S+\. Stop it first, .*SPILLWAY_DATABASE_URL \(api_in_use\)/;

let server: PostgresServer;
let folder: string;
let made = 0;
beforeAll(async () => {
  server = await startPostgres();
  folder = mkdtempSync(join(tmpdir(), 'spillway-second-'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly pid: number;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
  /** Its address, once it serves. */
  readonly serves: () => Promise<string>;
}
type Start = (entry: string, databases: Record<string, string>, dataDir?: string) => Started;

/** What a test has started ends with it, and nobody else's. */
const it = test.extend<{ start: Start }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs.
  start: async ({}, use) => {
    const started: number[] = [];
    await use((entry, databases, dataDir) => {
      const one = startAlone(entry, databases, dataDir);
      started.push(one.pid);
      return one;
    });
    for (const pid of started) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  },
});

/** By itself, as a service manager starts it. */
function startAlone(entry: string, databases: Record<string, string>, dataDir = `data-${++made}`): Started {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../src/${entry}`, import.meta.url))], {
    env: {
      PATH: process.env['PATH'],
      SPILLWAY_DATA_DIR: join(folder, dataDir),
      SPILLWAY_PORT: '0',
      SPILLWAY_WORKERS: '0',
      SPILLWAY_ADMIN_TOKEN: 'a'.repeat(40),
      ...databases,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => void (output += chunk));
  child.stderr.on('data', (chunk) => void (output += chunk));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const serves = () =>
    until('the api to serve', () => {
      if (child.exitCode !== null) throw new Error(output);
      const line = output.split('\n').find((one) => one.includes('"msg":"listening"'));
      return line === undefined ? false : (JSON.parse(line) as { url: string }).url;
    });
  return { pid: child.pid as number, output: () => output, exit, serves };
}

async function databases(): Promise<Record<string, string>> {
  const name = `second_${++made}`;
  await server.sql(`create database ${name}_control`);
  await server.sql(`create database ${name}_store`);
  return {
    SPILLWAY_DATABASE_URL: server.url(`${name}_control`),
    SPILLWAY_STORE_URL: server.url(`${name}_store`),
  };
}

it('a second api is refused with a sentence, and the first goes on', async ({ start }) => {
  const on = await databases();
  const first = start('server.ts', on);
  const url = await first.serves();
  const from = performance.now();
  const second = start('server.ts', on);
  expect(await second.exit, second.output()).toBe(EXIT_IN_USE);
  expect(performance.now() - from).toBeLessThan(LEASE_MS);
  expect(second.output()).toMatch(REFUSAL);
  expect(second.output()).toContain(`process ${first.pid} on `);
  expect(second.output()).toContain(`at ${url}, `);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);

  // So is a whole installation, and it has begun nothing.
  const third = start('start.ts', on, 'installation');
  expect(await third.exit, third.output()).toBe(EXIT_IN_USE);
  expect(third.output()).toMatch(REFUSAL);
  expect(existsSync(join(folder, 'installation'))).toBe(false);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);

  // A clean end is not waited for.
  process.kill(first.pid, 'SIGTERM');
  expect(await first.exit).toBe(0);
  const next = start('server.ts', on);
  const again = performance.now();
  await next.serves();
  expect(performance.now() - again).toBeLessThan(LEASE_MS - RENEW_MS);
}, 90_000);

it('two that are started at once on an empty database: one serves, one is refused', async ({ start }) => {
  const on = await databases();
  const both = [start('server.ts', on), start('server.ts', on)];
  const ended = await Promise.race(both.map(async (one) => [one, await one.exit] as const));
  expect(ended[1], ended[0].output()).toBe(EXIT_IN_USE);
  expect(ended[0].output()).toMatch(REFUSAL);
  await both.find((one) => one !== ended[0])?.serves();
}, 60_000);

// Both wait for a lease to run out, and do nothing meanwhile: they wait together.
describe.concurrent('an api whose lease has run out', () => {
  it('after kill -9 another takes over when the lease has run out, and not later', async ({ start }) => {
    const on = await databases();
    const first = start('server.ts', on);
    await first.serves();
    process.kill(first.pid, 'SIGKILL');
    await first.exit;
    const from = performance.now();
    const second = start('server.ts', on);
    await second.serves();
    expect(performance.now() - from).toBeLessThan(LEASE_MS + 4_000);
  }, 60_000);

  it('one that was frozen for longer than the lease ends when it is thawed', async ({ start }) => {
    const on = await databases();
    const first = start('server.ts', on);
    await first.serves();
    process.kill(first.pid, 'SIGSTOP');
    const second = start('server.ts', on);
    const url = await second.serves();
    process.kill(first.pid, 'SIGCONT');
    expect(await first.exit).toBe(EXIT_IN_USE);
    expect(first.output()).toMatch(REFUSAL);
    expect(first.output()).toContain(`process ${second.pid} on `);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  }, 60_000);
});

it('its supervisor starts a killed api again without waiting for the lease', async () => {
  let system: StartedSystem | null = null;
  try {
    system = await startSystem({ env: { ...(await databases()), SPILLWAY_WORKERS: '0' } });
    const pid = await pidOf(system, 'api');
    process.kill(pid, 'SIGKILL');
    const from = performance.now();
    await successorOf(system, 'api', pid);
    await until('the api to answer', async () => {
      const answer = await fetch(`${system?.url}/readyz`).catch(() => null);
      return answer?.status === 200;
    });
    expect(performance.now() - from).toBeLessThan(LEASE_MS - RENEW_MS);
  } finally {
    await system?.remove();
  }
}, 60_000);
