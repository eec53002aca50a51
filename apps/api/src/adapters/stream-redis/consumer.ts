/**
 * Reading by position, acknowledging in a consumer group.
 *
 * The port's position is the store's, committed with the data. So a read says after which place, and nothing is handed out in a
 * consumer's name (XREADGROUP): what a dead consumer was reading is nobody's, and a frozen one that wakes up takes no entry away
 * from its successor. The group is where acknowledgements are kept, as its last delivered id, which XINFO GROUPS tells every tool.
 */
import type { Redis } from 'iovalkey';
import {
  type DeliveredEntry,
  type StreamConsumer,
  StreamError,
  type StreamOffset,
} from '../../data-plane/ports.ts';
import { abortableRead } from '../stream-read.ts';
import type { RedisAddress } from './address.ts';
import type { StreamKeys } from './keys.ts';
import { Link } from './link.ts';
import { entriesOf, entriesPerPack, type FoundPack, PACK_ENTRIES } from './packs.ts';
import { idOf, type Place, placeOf } from './place.ts';
import { ACKNOWLEDGE, evaluate } from './scripts.ts';

/** A read that waits longer is several, so that a cut connection is noticed. */
const BLOCK_MS = 1_000;

type XreadAnswer = [key: string, packs: FoundPack[]][] | null;

export interface ConsumerParts {
  readonly address: RedisAddress;
  readonly keys: StreamKeys;
  readonly group: string;
  /** The stream's own connection. Reads wait on another, or everything else would wait with them. */
  readonly link: Link;
  readonly patienceMs: number | undefined;
}

export function consumerOf({ address, keys, group, link, patienceMs }: ConsumerParts): {
  readonly consumer: StreamConsumer;
  close(): void;
} {
  const reading = new Link(address, { patienceMs });
  let created: Promise<void> | null = null;
  /** Entries of a pack, as the last reading found them, one with another: what is asked for in entries is asked of Redis in packs. */
  let perPack = PACK_ENTRIES;

  function create(): Promise<void> {
    created ??= link.run((redis) => createGroup(redis, keys, group));
    created.catch(() => void (created = null));
    return created;
  }

  async function look(
    after: Place | null,
    maxEntries: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<readonly DeliveredEntry[]> {
    const id = after === null ? '0-0' : idOf(after);
    // One more, since the place may lie in the first: what is asked for is filled, and what is too much of the last is read again.
    const packs = Math.ceil(maxEntries / perPack) + 1;
    const answer = await reading.run(
      (redis) =>
        (waitMs > 0
          ? redis.xread('COUNT', packs, 'BLOCK', waitMs, 'STREAMS', keys.entries, id)
          : redis.xread('COUNT', packs, 'STREAMS', keys.entries, id)) as Promise<XreadAnswer>,
      { signal },
    );
    const found = answer?.[0]?.[1] ?? [];
    if (found.length > 0) perPack = entriesPerPack(found);
    return entriesOf(found, after, maxEntries);
  }

  /** A position that this stream never gave out: another stream's, or this one has lost its end. Waiting would skip what comes next. */
  async function checkIsHere({ ordinal }: Place): Promise<void> {
    const next = Number((await link.run((redis) => redis.hget(keys.meta, 'next'))) ?? 1);
    if (ordinal >= next)
      throw new StreamError('gap', `entry ${ordinal + 1} was asked for; the stream ends before ${next}`);
  }

  async function read({ after, maxEntries, waitMs, signal }: Parameters<StreamConsumer['read']>[0]) {
    const place = after === null ? null : placeOf(after);
    await create();
    const untilMs = performance.now() + waitMs;
    while (!signal.aborted) {
      const remainingMs = untilMs - performance.now();
      // BLOCK 0 is for ever.
      const blockMs = Math.ceil(Math.max(0, Math.min(remainingMs, BLOCK_MS)));
      const entries = await look(place, maxEntries, blockMs, signal);
      if (entries.length > 0) return entries;
      if (place !== null) await checkIsHere(place);
      if (performance.now() >= untilMs) break;
    }
    return [];
  }

  return {
    consumer: {
      read: abortableRead(read, { stream: link, reading }),
      acknowledge: async (offset: StreamOffset) => {
        const place = placeOf(offset);
        await create();
        const next = await link.run((redis) =>
          evaluate(redis, ACKNOWLEDGE, [keys.entries, keys.meta], [group, idOf(place), place.ordinal]),
        );
        if (place.ordinal >= Number(next))
          throw new StreamError(
            'gap',
            `${group} acknowledges entry ${place.ordinal}, but the stream ends before ${next}`,
          );
      },
    },
    close: () => reading.close(),
  };
}

/** At the oldest entry. Asked for first: making one is refused when memory is short, whether it is there or not, and reading is what makes room. */
async function createGroup(redis: Redis, { entries }: StreamKeys, group: string): Promise<void> {
  if (await hasGroup(redis, entries, group)) return;
  try {
    await redis.xgroup('CREATE', entries, group, '0', 'MKSTREAM');
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('BUSYGROUP')) throw error;
  }
}

async function hasGroup(redis: Redis, key: string, group: string): Promise<boolean> {
  if ((await redis.exists(key)) === 0) return false;
  const groups = (await redis.xinfo('GROUPS', key)) as unknown[][];
  return groups.some((fields) => fields[fields.indexOf('name') + 1] === group);
}
