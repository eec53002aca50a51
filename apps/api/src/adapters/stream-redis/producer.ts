import { randomUUID } from 'node:crypto';
import type { StreamProducer } from '../../data-plane/ports.ts';
import type { StreamKeys } from './keys.ts';
import type { Link } from './link.ts';
import { type Pack, packsOf } from './packs.ts';
import { offsetOf } from './place.ts';
import { APPEND, evaluate, LENGTH } from './scripts.ts';

/** How long the server remembers what an append came to: far longer than anybody asks again. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * Appends of one producer go one after the other: the server remembers the last one only. A batch is one script, so all of it is there or
 * nothing, with the producer's state.
 */
export function producerOf(link: Link, keys: StreamKeys): StreamProducer {
  const lastAppend = keys.lastAppend(randomUUID());
  let appends = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function append(token: string, packs: readonly Pack[], entries: number, state: string | undefined) {
    const answer = await link.run((redis) =>
      evaluate(
        redis,
        APPEND,
        [keys.entries, keys.meta, lastAppend],
        [
          ...[token, REMEMBERED_MS, state ?? '', state === undefined ? '0' : '1'],
          ...packs.flatMap(({ count, text }) => [count, text]),
        ],
      ),
    );
    const [ordinal, ms, bytes] = (answer as string[]).map(Number) as [number, number, number];
    return {
      firstOffset: offsetOf({ ordinal, ms }),
      lastOffset: offsetOf({ ordinal: ordinal + entries - 1, ms }),
      bytes,
    };
  }

  return {
    append: async (entries, producerState) => {
      if (entries.length === 0) throw new RangeError('an append needs an entry');
      const packs = packsOf(entries);
      const token = String(appends++);
      const appended = last.then(() => append(token, packs, entries.length, producerState));
      last = appended.catch(() => undefined);
      return appended;
    },
    producerState: () => link.run((redis) => redis.hget(keys.meta, 'producer')),
    keepState: async (producerState) => {
      await link.run((redis) => redis.hset(keys.meta, 'producer', producerState));
    },
    length: async () =>
      Number(await link.run((redis) => evaluate(redis, LENGTH, [keys.entries, keys.meta], []))),
  };
}
