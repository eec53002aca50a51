/**
 * A producer and a consumer in processes of their own, killed with SIGKILL again and again wherever they are. Entry number n
 * is named `e#n` and has the offset n + 1, so that anything lost, doubled, torn or moved shows.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import type { DeliveredEntry, DurableStream, StreamOffset } from '../../src/data-plane/ports.ts';
import { idOf, liveEvents } from '../conformance/stream/entries.ts';

const KILLS = Number(process.env['CRASH_KILLS'] ?? 25);
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const NEVER = new AbortController().signal;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
});
afterEach(() => rm(directory, { recursive: true }));

test(`kill -9 loses nothing acknowledged and leaves nothing by halves (CRASH_SEED=${SEED})`, {
  timeout: 120_000,
}, async () => {
  const random = randomOf(SEED);
  let watcher: DurableStream | null = null;
  let acknowledged: StreamOffset = '';
  let appended: StreamOffset = '';

  for (let kill = 0; kill < KILLS; kill++) {
    const [producer, consumer] = [victim('produce', directory), victim('consume', directory)];
    const steps = 1 + Math.floor(random() * 150);
    await producer.said(steps);
    await lapse(random() * 3);
    await Promise.all([producer.kill(), consumer.kill()]);
    appended = producer.last() ?? appended;
    acknowledged = consumer.last() ?? acknowledged;

    // Every other time no process has the stream open, so that it is recovered both from its lock file and from scratch.
    watcher ??= await openEmbeddedStream({ directory, name: 'live' });
    // It writes before it reads, and so finds what was committed by one that died before it could tell the others of it.
    const held = await everything(watcher);
    const stats = await watcher.stats('consumer');
    const lastOffset = stats.lastOffset ?? '';
    expect(lastOffset >= appended).toBe(true);
    expect(Number(await watcher.producer.producerState())).toBe(Number(lastOffset));
    expect((stats.group?.acknowledged ?? '') >= acknowledged).toBe(true);

    expect(held.length).toBe(stats.length);
    const first = Number(lastOffset) - held.length;
    expect(held.map(({ offset, entry }) => `${Number(offset)} ${idOf(entry)}`)).toEqual(
      held.map((_, index) => `${first + index + 1} e#${first + index}`),
    );
    // Trimmed at most what was acknowledged.
    expect(first).toBeLessThanOrEqual(Number(stats.group?.acknowledged ?? 0));
    if (kill % 2 === 1) {
      await watcher.close();
      watcher = null;
    }
  }
  expect(Number(appended)).toBeGreaterThan(KILLS);
  expect(Number(acknowledged)).toBeGreaterThan(0);
  await watcher?.close();
});

test('the file stays as small as what is held, however much goes through and whoever is killed reading it', {
  timeout: 120_000,
}, async () => {
  const stream = await openEmbeddedStream({ directory, name: 'live' });
  const consumer = stream.consumer('consumer');
  const fileBytes = async (): Promise<number> => (await stat(join(directory, 'live', 'data.mdb'))).size;
  const ROUNDS = 300;
  const ROUND_ENTRIES = 1000;
  let after: StreamOffset | null = null;
  let early = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await stream.producer.append(liveEvents('e', ROUND_ENTRIES, round * ROUND_ENTRIES));
    const entries: readonly DeliveredEntry[] = await consumer.read({
      after,
      maxEntries: ROUND_ENTRIES,
      waitMs: 0,
      signal: NEVER,
    });
    after = (entries.at(-1) as DeliveredEntry).offset;
    await consumer.acknowledge(after);
    if (round % 10 === 9) await stream.trim();
    if (round === 60) {
      early = await fileBytes();
      const reader = victim('stare', directory);
      await reader.said(1);
      await reader.kill();
    }
  }
  expect((await stream.stats('consumer')).lastOffset).toBe(String(ROUNDS * ROUND_ENTRIES).padStart(16, '0'));
  expect(await fileBytes()).toBeLessThan(2 * early);
  await stream.close();
});

interface Victim {
  /** When it has said so many lines. */
  said(lines: number): Promise<void>;
  /** The last line it has said, once it is dead. */
  last(): string | undefined;
  kill(): Promise<void>;
}

function victim(role: 'produce' | 'consume' | 'stare', place: string): Victim {
  const script = fileURLToPath(new URL('stream-embedded-process.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, role, place], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let heard = (): void => {};
  const closed = once(child, 'close');
  if (child.stdout === null) throw new Error('no pipe to the victim');
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Killed in the middle of a line, it has not said it.
    if (/^\d{16}$/.test(line)) lines.push(line);
    heard();
  });
  return {
    said: (count) =>
      new Promise((resolve, reject) => {
        child.once('exit', () => reject(new Error(`${role} has left by itself`)));
        heard = () => lines.length >= count && resolve();
        heard();
      }),
    last: () => lines.at(-1),
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

async function everything(stream: DurableStream): Promise<DeliveredEntry[]> {
  const held: DeliveredEntry[] = [];
  const reader = stream.consumer('consumer');
  for (;;) {
    const entries = await reader.read({
      after: held.at(-1)?.offset ?? null,
      maxEntries: 5000,
      waitMs: 0,
      signal: NEVER,
    });
    if (entries.length === 0) return held;
    held.push(...entries);
  }
}

/** The moment of the kill, not a wait for anything. */
function lapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
