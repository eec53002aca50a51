/** The user's own stream on Redis or Valkey: published to in their envelope, and watched (docs/external-pipelines.md). */
import type { ExternalDefinition } from '@spillway/shared/api/external';
import type { Redis } from 'iovalkey';
import {
  type AppendResult,
  type ExternalStream,
  type StreamEntry,
  StreamError,
} from '../../data-plane/ports.ts';
import { addressOf } from '../stream-redis/address.ts';
import { isOwnKey } from '../stream-redis/keys.ts';
import { Link } from '../stream-redis/link.ts';
import { checkServer } from '../stream-redis/server-check.ts';
import { all, factsOf, missing, type Watched } from './ask.ts';
import { UndeliveredCounts } from './counts.ts';
import { entryIdOf, offsetOfId } from './entry-id.ts';
import { encoderOf } from './envelope.ts';
import { isReplaced, lookOf, type StreamFacts } from './progress.ts';

export interface ExternalStreamOptions {
  /** Its name here. */
  readonly name: string;
  readonly definition: ExternalDefinition;
  /** How long a server that does not answer is asked again, ms. Default 5,000. */
  readonly patienceMs?: number;
  /** Wall clock, epoch ms, for ages. */
  readonly now?: () => number;
}

const DEFAULT_FIELD = 'event';
/** Who asks how things stand wants to know it now, or that it is unknown. */
const LOOK_PATIENCE_MS = 1_000;
/**
 * A reader that waits asks every few ms; the user's server hears of it twenty times a second at most, and less where an answer is much work
 * (nine parts of ten it rests, up to half a second: a far server is slow without being busy).
 */
const REST_MS = { shortest: 50, longest: 500, perAskingMs: 9 };
/** An unknown backlog is no room: the reader waits until it is known. */
const NO_ROOM = Number.MAX_SAFE_INTEGER;

/**
 * Nothing is asked of the server yet: one that is away is the affair of whoever publishes or looks.
 * Errors: RangeError for a URL that cannot be.
 */
export function openExternalStream(options: ExternalStreamOptions): ExternalStream {
  const { name, definition, now = Date.now } = options;
  const { stream, groups, entryField = DEFAULT_FIELD } = definition;
  const { address, link } = linkTo(options);
  const watched: Watched = { stream, groups, server: address.shown };
  const encode = encoderOf(definition.envelope);

  let last: StreamFacts | null = null;
  let replaced = false;

  function seen(facts: StreamFacts): void {
    if (last !== null && isReplaced(last, facts)) replaced = true;
    last = facts;
  }

  const counts = new UndeliveredCounts(stream);

  async function look(patienceMs?: number) {
    const facts = await link.run((redis) => factsOf(redis, watched, { counts, seen }), {
      ...(patienceMs === undefined ? {} : { patienceMs }),
    });
    return lookOf(facts.stream, facts.groups, now());
  }

  let appended = 0;
  let known: { readonly backlog: number; readonly appended: number; readonly untilMs: number } | null = null;

  /** Never less than there is by what was appended here: since it was asked, that is added. */
  async function backlog(): Promise<number> {
    const askedMs = performance.now();
    if (known !== null && askedMs < known.untilMs) return known.backlog + appended - known.appended;
    const before = appended;
    const found = (await look()).lagEntries ?? NO_ROOM;
    const answeredMs = performance.now();
    const restMs = Math.min(
      REST_MS.longest,
      Math.max(REST_MS.shortest, REST_MS.perAskingMs * (answeredMs - askedMs)),
    );
    known = { backlog: found, appended: before, untilMs: answeredMs + restMs };
    return found;
  }

  async function publish(entries: readonly Event[]): Promise<AppendResult> {
    const texts = entries.map(({ event, publisher }) =>
      encode(event, publisher.kind === 'backfill' ? publisher.backfillId : ''),
    );
    appended += texts.length;
    const ids = await link.run(async (redis) => {
      const batch = redis.pipeline();
      for (const text of texts) batch.xadd(stream, 'NOMKSTREAM', '*', entryField, text);
      return all(batch, watched);
    });
    // A stream that is gone is not made again: it would have no group, and whoever removed it meant it.
    if (ids.some((id) => id === null)) throw missing(stream, address.shown);
    return {
      firstOffset: offsetOfId(entryIdOf(ids[0] as string)),
      lastOffset: offsetOfId(entryIdOf(ids.at(-1) as string)),
      bytes: texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0),
    };
  }

  /** Everything published before is at or below it, whoever published it and when. */
  async function newest(): Promise<AppendResult> {
    const { stream: facts } = await link.run((redis) => factsOf(redis, watched, { seen }));
    const offset = offsetOfId(facts.newest);
    return { firstOffset: offset, lastOffset: offset, bytes: 0 };
  }

  return {
    name,
    reach: address.reach,
    producer: {
      append: async (entries) => {
        const events = entries.filter((entry) => entry.type === 'event');
        return events.length === 0 ? newest() : publish(events);
      },
      length: backlog,
    },
    stats: async () => ({ group: null }),
    look: async () => {
      const found = await look(LOOK_PATIENCE_MS);
      const told = { ...found, replaced };
      replaced = false;
      return told;
    },
    close: async () => link.close(),
  };
}

/** Whether it can be published to and watched; nothing is. Errors: RangeError for a URL that cannot be, {@link StreamError}. */
export async function checkExternalStream(options: ExternalStreamOptions): Promise<void> {
  const { stream, groups, entryField = DEFAULT_FIELD } = options.definition;
  const { address, link } = linkTo(options);
  try {
    // An applier that finds there what it cannot read stands still, and live with it.
    if (isOwnKey(stream))
      throw new StreamError('stream_corrupt', `the key ${stream} is of a stream of Spillway's own`);
    await link.run((redis) => factsOf(redis, { stream, groups, server: address.shown }));
    await link.run((redis) => refuseUnwritable(redis, stream, entryField));
  } finally {
    link.close();
  }
}

/** No entry may be 0-0, which the server says when all else would let it be added: rights, memory, and that it is no replica. */
async function refuseUnwritable(redis: Redis, stream: string, entryField: string): Promise<void> {
  const said: unknown = await redis
    .xadd(stream, 'NOMKSTREAM', '0-0', entryField, '')
    .catch((error: unknown) => error);
  if (said instanceof Error && !/greater than 0-0/.test(said.message)) throw said;
}

type Event = Extract<StreamEntry, { type: 'event' }>;

function linkTo({ definition: { url, accepts = [] }, patienceMs }: ExternalStreamOptions) {
  const address = addressOf(url);
  const link = new Link(address, {
    prove: (redis) =>
      checkServer(redis, address, accepts, (danger) => `"${danger}" in /external/accepts of the pipeline`),
    patienceMs,
  });
  return { address, link };
}
