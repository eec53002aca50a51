/** `examples/count-by-airport.mjs` as a process of its own, and what it has counted: by its own words, in its own keys. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Redis } from 'iovalkey';

const script = join(import.meta.dirname, '../../../../examples/count-by-airport.mjs');

export interface ExternalConsumer {
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
}

/** Resolves when it has made its group and reads. */
export async function startConsumer(env: {
  readonly REDIS_URL: string;
  readonly STREAM: string;
  readonly GROUP: string;
  readonly PAUSE_MS?: string;
}): Promise<ExternalConsumer> {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const leaving = () => child.kill('SIGKILL');
  process.once('exit', leaving);
  if (child.stdout === null) throw new Error('the consumer has no output');
  await once(child.stdout, 'data');
  return {
    async kill() {
      process.off('exit', leaving);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** By airport: events and minutes of delay, as the oracle's rows have them. */
export async function countsOf(redis: Redis, group: string): Promise<(readonly [string, number, number])[]> {
  const fields = await redis.hgetall(`${group}:counts`);
  return Object.keys(fields)
    .filter((field) => field.endsWith(':events'))
    .map((field) => {
      const airport = field.slice(0, -':events'.length);
      return [airport, Number(fields[field]), Number(fields[`${airport}:minutes`])] as const;
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Delivered and not acknowledged, and not delivered, as the server says. */
export async function unfinishedOf(redis: Redis, stream: string, group: string): Promise<number> {
  const groups = ((await redis.xinfo('GROUPS', stream)) as unknown[][]).map(
    (flat) => new Map(flat.map((name, index) => [name, flat[index + 1]] as const)),
  );
  const found = groups.find((candidate) => candidate.get('name') === group);
  return Number(found?.get('pending')) + Number(found?.get('lag'));
}
