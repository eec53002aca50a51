/**
 * The applier, in as many loops as its store allows, in a process of its own, which sends itself a signal when it comes to a named point for the n-th time, and says so on stderr:
 * `apply-process.ts URL STREAMS-FOLDER POINT N [SIGKILL | SIGSTOP]`. With `never` it runs until it is told to finish and everything published is committed,
 * and tells what it observed.
 */

import { writeSync } from 'node:fs';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import { Observations } from '../../src/data-plane/apply/observations.ts';
import { systemClock } from '../../src/data-plane/clock.ts';
import type { DurableStream, Store } from '../../src/data-plane/ports.ts';
import { runLoops } from '../fixtures/apply-loops.ts';

export const killPoints = [
  'before-commit',
  'inside-commit',
  'after-commit',
  'before-acknowledge',
  'after-acknowledge',
  'trim',
  'claim',
] as const;
export type KillPoint = (typeof killPoints)[number] | 'never';

if (process.argv[1] === import.meta.filename) await main();

async function main(): Promise<void> {
  const [url = '', folder = '', point, times, signal = 'SIGKILL'] = process.argv.slice(2);
  let left = Number(times);
  const reached = (at: KillPoint): void => {
    if (at !== point || --left !== 0) return;
    writeSync(process.stderr.fd, `${signal} ${at}\n`);
    process.kill(process.pid, signal);
  };
  const store = dyingStore(await openPostgresStore({ url }), reached);
  const open = async (name: string): Promise<DurableStream> =>
    dyingStream(await openEmbeddedStream({ directory: folder, name }), reached);
  const [live, replay] = [await open('live'), await open('replay')];

  const stop = new AbortController();
  const observe = new Observations(systemClock);
  process.once('message', () => {
    const look = setInterval(async () => {
      const streams = await Promise.all([live, replay].map((stream) => stream.stats(APPLIER_GROUP)));
      if (!streams.every((stats) => stats.group?.lagEntries === 0)) return;
      clearInterval(look);
      stop.abort();
    }, 25);
  });
  const end = await runLoops({ store, live, replay, signal: stop.signal, observe, unfinished: () => [] });
  process.send?.({ end, observation: observe.drain() });
  await store.close();
  process.disconnect?.();
}

function dyingStore(store: Store, reached: (point: KillPoint) => void): Store {
  return {
    ...store,
    claim: async (stream) => {
      const claimed = await store.claim(stream);
      reached('claim');
      return claimed;
    },
    apply: async (batch) => {
      reached('before-commit');
      const outcome = store.apply(batch);
      // On its way to the database, or just being executed there.
      setTimeout(() => reached('inside-commit'), Math.random() * 3);
      await outcome;
      reached('after-commit');
      return outcome;
    },
  };
}

function dyingStream(stream: DurableStream, reached: (point: KillPoint) => void): DurableStream {
  return {
    ...stream,
    trim: async () => {
      reached('trim');
      return stream.trim();
    },
    consumer: (group) => {
      const consumer = stream.consumer(group);
      return {
        ...consumer,
        acknowledge: async (offset) => {
          reached('before-acknowledge');
          await consumer.acknowledge(offset);
          reached('after-acknowledge');
        },
      };
    },
  };
}
