/**
 * A durable stream on Redis or Valkey, shared by processes of any number of machines.
 *
 * What survives is what the server promises. With `appendonly yes` a server that is killed loses nothing acknowledged; a power cut loses
 * what it had not flushed yet (with its default, `appendfsync everysec`, the last second), and a fail-over to a replica what had not
 * reached it. With snapshots alone, a killed server loses what came after the last one. (docs/decisions/0012-redis-streams.md)
 */
import type { DurableStream, GroupStats, StreamConsumer, StreamStats } from '../../data-plane/ports.ts';
import { addressOf } from './address.ts';
import { consumerOf } from './consumer.ts';
import { keysOf, PREFIX, type StreamKeys } from './keys.ts';
import { Link } from './link.ts';
import { bytesBefore, type FoundPack, publishedAt } from './packs.ts';
import { offsetOf, placeOfId } from './place.ts';
import { producerOf } from './producer.ts';
import { evaluate, STATS, TRIM } from './scripts.ts';
import { checkServer, type RedisDanger } from './server-check.ts';

export interface RedisServerOptions {
  /** See {@link addressOf}. */
  readonly url: string;
  /** Dangers of the server's settings that the operator accepts. */
  readonly accepted?: readonly RedisDanger[];
  /** How long a server that does not answer is asked again, ms. Default 5,000. */
  readonly patienceMs?: number | undefined;
}

export interface RedisStreamOptions extends RedisServerOptions {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** What the keys begin with. Installations that share a server and a database need one each. Default `spillway`. */
  readonly prefix?: string;
  /** Wall clock, epoch ms, for ages. */
  readonly now?: () => number;
}

/** Packs that one trimming removes at most: about a millisecond of the server. */
const TRIM_PIECE_PACKS = 2_000;
/** Who asks how things stand wants to know it now, or that it is unknown. */
const STATS_PATIENCE_MS = 1_000;

/**
 * Errors: RangeError for a URL or a name that cannot be, {@link StreamError} `stream_unavailable`, `stream_denied`,
 * `stream_refused` when the server's settings are not accepted.
 */
export async function openRedisStream(options: RedisStreamOptions): Promise<DurableStream> {
  const { name, prefix = PREFIX, now = Date.now } = options;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new RangeError(`not a name for a stream: ${name}`);
  const address = addressOf(options.url);
  const keys = keysOf(prefix, name);
  const link = linkTo(options);
  await proven(link);
  const consumers = new Map<string, ReturnType<typeof consumerOf>>();

  function consumer(group: string): StreamConsumer {
    const known =
      consumers.get(group) ?? consumerOf({ address, keys, group, link, patienceMs: options.patienceMs });
    consumers.set(group, known);
    return known.consumer;
  }

  return {
    name,
    reach: address.reach,
    producer: producerOf(link, keys),
    consumer,
    stats: async (group) => {
      const answer = await link.run((redis) => evaluate(redis, STATS, [keys.entries, keys.meta], [group]), {
        patienceMs: STATS_PATIENCE_MS,
      });
      return statsOf(answer as StatsAnswer, now());
    },
    trim: () => trim(link, keys),
    close: async () => {
      link.close();
      for (const { close } of consumers.values()) close();
    },
  };
}

/** Whether a stream could be opened there. Errors as of {@link openRedisStream}. */
export async function checkRedisServer(options: RedisServerOptions): Promise<void> {
  const link = linkTo(options);
  try {
    await proven(link);
  } finally {
    link.close();
  }
}

export function linkTo({ url, accepted = [], patienceMs }: RedisServerOptions): Link {
  const address = addressOf(url);
  return new Link(address, { prove: (redis) => checkServer(redis, address, accepted), patienceMs });
}

async function proven(link: Link): Promise<void> {
  try {
    await link.run((redis) => redis.ping());
  } catch (error) {
    link.close();
    throw error;
  }
}

type StatsAnswer = [
  next: number,
  ms: string,
  bytes: string,
  length: number,
  oldest: FoundPack | null,
  group: [finished: string, lag: number, unfinished: FoundPack | null] | null,
];

/** Lag is counted by ordinals: what XINFO GROUPS says is of packs, and nil in the middle of a stream. */
function statsOf([next, ms, bytes, length, oldest, group]: StatsAnswer, nowMs: number): StreamStats {
  return {
    length,
    lengthBytes: oldest === null ? 0 : Number(bytes) - bytesBefore(oldest),
    oldestPublishedAt: oldest === null ? null : publishedAt(oldest, next - length),
    lastOffset: next === 1 ? null : offsetOf({ ordinal: next - 1, ms: Number(ms) }),
    group: group === null ? null : groupOf(group, next, nowMs),
  };
}

function groupOf(
  [finished, lag, unfinished]: NonNullable<StatsAnswer[5]>,
  next: number,
  nowMs: number,
): GroupStats {
  return {
    acknowledged: finished === '0-0' ? null : offsetOf(placeOfId(finished)),
    lagEntries: lag,
    lagMs: unfinished === null ? 0 : Math.max(0, nowMs - publishedAt(unfinished, next - lag)),
  };
}

/** In pieces, so that a live event never waits long for the server. */
async function trim(link: Link, keys: StreamKeys): Promise<number> {
  let removed = 0;
  for (let more = true; more && !link.closed; ) {
    const answer = await link.run((redis) => evaluate(redis, TRIM, [keys.entries], [TRIM_PIECE_PACKS]));
    const [piece, again] = answer as [number, number];
    removed += piece;
    more = again === 1;
  }
  return removed;
}
