/**
 * The whole product as a user starts it, on a free port and a data directory of its own: for tests, screenshots and the bench.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ApiAnswer, apiClient } from './api-client.ts';
import { processTree, type RunningProcess } from './process-tree.ts';

export interface StartedSystem {
  /** Without a trailing slash. */
  readonly url: string;
  readonly signInCode: string;
  readonly adminToken: string;
  readonly dataDir: string;
  readonly readyAfterMs: number;
  /** Of the supervisor. */
  readonly pid: number;
  /** Everything it wrote to stdout and stderr so far: the ready line, warnings and worse of all processes. */
  output(): string;
  /** As admin, with JSON. */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer>;
  /** The supervisor and everything below it. */
  processes(): RunningProcess[];
  /** SIGTERM; how long the drain took, ms. */
  stop(): Promise<number>;
  /** SIGKILL to the supervisor and everything below it. */
  kill(): Promise<void>;
  /** Stops, when it still runs, and deletes the data directory if it was made here. */
  remove(): Promise<void>;
}

const startScript = fileURLToPath(new URL('../../src/start.ts', import.meta.url));
const READY = /Spillway is ready on (http:\/\/[^/\s]+)\/#code=(\S+)/;
const READY_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 20_000;

interface StartOptions {
  /** Without one a directory is made, and removed with the system. */
  readonly dataDir?: string;
  /** A data directory that nothing runs on, copied into the one that is made. */
  readonly copyOf?: string;
  readonly env?: Record<string, string>;
}

export async function startSystem(options: StartOptions = {}): Promise<StartedSystem> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'spillway-'));
  if (options.copyOf !== undefined) cpSync(options.copyOf, dataDir, { recursive: true });
  const startedMs = performance.now();
  const supervisor = spawn(process.execPath, [startScript], {
    env: { ...cleanEnvironment(), SPILLWAY_PORT: '0', SPILLWAY_DATA_DIR: dataDir, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  supervisor.stdout.on('data', (chunk: Buffer) => void (output += chunk));
  supervisor.stderr.on('data', (chunk: Buffer) => void (output += chunk));
  const processes = () => processTree(supervisor.pid as number);
  const own = options.dataDir === undefined;
  // Whoever started it is leaving without having stopped it: nothing may be left running, or lying about.
  const leaving = () => {
    for (const { pid } of processes()) signal(pid, 'SIGKILL');
    if (own) rmSync(dataDir, { recursive: true, force: true });
  };
  process.once('exit', leaving);
  supervisor.once('exit', () => process.off('exit', leaving));
  const [url, signInCode] = await untilReady(supervisor, () => output).catch((error: unknown) => {
    leaving();
    throw error;
  });
  const readyAfterMs = performance.now() - startedMs;
  const adminToken =
    options.env?.['SPILLWAY_ADMIN_TOKEN'] ?? readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();

  const system: StartedSystem = {
    url,
    signInCode,
    adminToken,
    dataDir,
    readyAfterMs,
    pid: supervisor.pid as number,
    output: () => output,
    call: apiClient(url, adminToken),
    processes,
    async stop() {
      const from = performance.now();
      supervisor.kill('SIGTERM');
      await untilExit(supervisor);
      return performance.now() - from;
    },
    async kill() {
      for (const { pid } of processes()) signal(pid, 'SIGKILL');
      await untilExit(supervisor);
    },
    async remove() {
      if (supervisor.exitCode === null && supervisor.signalCode === null) await system.stop();
      if (own) rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return system;
}

/** Settings of whoever runs the tests do not reach the system under test. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SPILLWAY_')));
}

function untilReady(supervisor: ChildProcess, output: () => string): Promise<[string, string]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`not ready after ${READY_LIMIT_MS} ms`), READY_LIMIT_MS);
    const look = () => {
      const match = READY.exec(output());
      if (match === null) return;
      clearTimeout(timer);
      supervisor.stdout?.off('data', look);
      supervisor.off('exit', exited);
      resolve([match[1] as string, match[2] as string]);
    };
    const exited = (code: number | null) => fail(`ended with ${code}`);
    function fail(why: string) {
      clearTimeout(timer);
      reject(new Error(`the system did not start: ${why}\n${output()}`));
    }
    supervisor.stdout?.on('data', look);
    supervisor.once('exit', exited);
  });
}

function untilExit(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`still running ${STOP_LIMIT_MS} ms after it was told to stop`)),
      STOP_LIMIT_MS,
    );
    supervisor.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A process that is gone already needs no signal. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
