/**
 * What a group has not been given, counted where the server does not know it (a lag of nil, after removals). Its entries are fetched for that, up to
 * 20,000 with all that is in them: work for a server and a network that are not ours. So whoever only watches reckons for a while:
 *
 *     reckoned   the last count, whoever asked for it, and what has been added to the stream since: never less than there is
 *     anew       after nine times as long as counting took, but not within 2.5 s, nor within 30 s where nobody publishes;
 *                and where the group, or the stream, has been set back
 */
import type { Redis } from 'iovalkey';
import { type EntryId, isBefore } from './entry-id.ts';

const COUNTED_MOST = 20_000;
const COUNTED_PIECE = 10_000;
const REST_MS = { publishing: 2_500, idle: 30_000, perCountingMs: 9 };
/** Who has asked for room so lately publishes. */
const PUBLISHING_MS = 60_000;

export interface Uncounted {
  readonly group: string;
  /** As the server writes it. */
  readonly deliveredId: string;
  readonly delivered: EntryId;
  /** To the stream, ever. */
  readonly added: number;
}

export interface Counted {
  /** Null: more than is counted. */
  readonly entries: number | null;
  readonly reckoned: boolean;
}

interface LastCount extends Pick<Uncounted, 'delivered' | 'added'> {
  readonly entries: number | null;
  readonly tookMs: number;
  readonly atMs: number;
}

export class GroupCounts {
  readonly #key: string;
  readonly #last = new Map<string, LastCount>();
  #publishedMs = Number.NEGATIVE_INFINITY;

  constructor(key: string) {
    this.#key = key;
  }

  /** For who is about to publish. */
  async now(redis: Redis, asked: Uncounted): Promise<Counted> {
    this.#publishedMs = performance.now();
    return this.#count(redis, asked);
  }

  /** For who watches. */
  async lately(redis: Redis, asked: Uncounted): Promise<Counted> {
    const last = this.#last.get(asked.group);
    if (last === undefined || this.#isOver(last, asked)) return this.#count(redis, asked);
    return {
      entries: last.entries === null ? null : last.entries + asked.added - last.added,
      reckoned: true,
    };
  }

  #isOver(last: LastCount, { delivered, added }: Uncounted): boolean {
    if (added < last.added || isBefore(delivered, last.delivered)) return true;
    const nowMs = performance.now();
    const rest = nowMs - this.#publishedMs < PUBLISHING_MS ? REST_MS.publishing : REST_MS.idle;
    return nowMs - last.atMs >= Math.max(rest, REST_MS.perCountingMs * last.tookMs);
  }

  async #count(redis: Redis, { group, deliveredId, delivered, added }: Uncounted): Promise<Counted> {
    const beganMs = performance.now();
    const entries = await counted(redis, this.#key, deliveredId);
    const atMs = performance.now();
    this.#last.set(group, { entries, delivered, added, tookMs: atMs - beganMs, atMs });
    return { entries, reckoned: false };
  }
}

/** A piece at a time. */
async function counted(redis: Redis, key: string, after: string): Promise<number | null> {
  let from = after;
  for (let total = 0; total < COUNTED_MOST; ) {
    const piece = await redis.xrange(key, `(${from}`, '+', 'COUNT', COUNTED_PIECE);
    total += piece.length;
    if (piece.length < COUNTED_PIECE) return total;
    from = piece.at(-1)?.[0] ?? from;
  }
  return null;
}
