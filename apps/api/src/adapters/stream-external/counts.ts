/**
 * What a group has not been given, counted where the server does not know it. Its entries are fetched for that, with all that is in them: work for a
 * server and a network that are not ours, at every look. So a count goes on from the one before, and is as exact as one made anew:
 *
 *     undelivered = what there was − what the group was given since + what was added since
 *
 * What was given is fetched, each entry once; what was added the server counts. This holds while nothing of it is removed: what there was of the stream and
 * what was added is what there is, or what was removed lay before what was counted (the newest ever removed does, and an entry from before is
 * still there, so that no trimming has come so far). Otherwise only looking could tell whether it had been counted, and it is counted anew; so it is
 * when the group or the stream was set back. A removal between the questions of one look shows in the next.
 *
 * More than `most` entries are not counted at once: until the next looks have come to the end, their number is unknown.
 */
import type { Redis } from 'iovalkey';
import { type EntryId, entryIdOf, isBefore, textOfId } from './entry-id.ts';
import type { StreamFacts } from './progress.ts';

export interface CountLimits {
  /** Entries that are fetched of one side at one look, at most. */
  readonly most: number;
  /** And at once. */
  readonly piece: number;
  /** After fewer it is counted anew: that costs less where a group is given more between two looks than it has waiting. */
  readonly few: number;
}

const usual: CountLimits = { most: 20_000, piece: 10_000, few: 1_000 };

/** There are `entries` after `after`, up to and including `upTo`. */
interface Counted {
  readonly after: EntryId;
  /** What was fetched lay after this: up to here entries may have been removed meanwhile, and it is as right. */
  readonly fetchedAfter: EntryId;
  readonly upTo: EntryId;
  readonly entries: number;
  /** `upTo` was the newest. */
  readonly toEnd: boolean;
  readonly stream: Pick<StreamFacts, 'added' | 'length' | 'oldest'>;
}

type Fetching = Pick<Redis, 'xrange'>;

export class UndeliveredCounts {
  readonly #key: string;
  readonly #limits: CountLimits;
  readonly #last = new Map<string, Counted>();

  constructor(key: string, limits = usual) {
    this.#key = key;
    this.#limits = limits;
  }

  /** Entries of the stream, as it was looked at, after what the group was given last. Null: they are not all counted yet. */
  async count(
    redis: Fetching,
    stream: StreamFacts,
    { name, delivered }: { readonly name: string; readonly delivered: EntryId },
  ): Promise<number | null> {
    // The group is asked after the stream, and may be ahead of it.
    const after = isBefore(delivered, stream.newest) ? delivered : stream.newest;
    const nothing: Counted = { after, fetchedAfter: after, upTo: after, entries: 0, toEnd: false, stream };
    const known = this.#stillTrue(this.#last.get(name), stream, after);
    const left = known === null ? null : await this.#afterPassing(redis, known, after);
    const counted = await this.#toEnd(redis, left ?? nothing, stream.newest);
    this.#last.set(name, counted);
    return counted.toEnd ? counted.entries : null;
  }

  /** With what was added since. Null: it says nothing of the stream as it is now, or is not worth it. */
  #stillTrue(last: Counted | undefined, stream: StreamFacts, after: EntryId): Counted | null {
    if (last === undefined || isBefore(after, last.after)) return null;
    const added = stream.added - last.stream.added;
    if (added < 0 || isSetBack(last.stream, stream)) return null;
    if (last.stream.length + added !== stream.length && !isWhole(stream, last.fetchedAfter)) return null;
    const still = { ...last, fetchedAfter: last.after, stream };
    if (!last.toEnd) return still;
    if (last.entries < this.#limits.few) return null;
    return { ...still, entries: last.entries + added, upTo: stream.newest };
  }

  /** Without what the group was given since. Null: that is all of it, or too much to be fetched. */
  async #afterPassing(redis: Fetching, known: Counted, after: EntryId): Promise<Counted | null> {
    if (!isBefore(known.after, after)) return known;
    if (!isBefore(after, known.upTo)) return null;
    const passed = await this.#fetch(redis, known.after, after);
    const entries = known.entries - passed.entries;
    return passed.whole && entries >= 0 ? { ...known, after, fetchedAfter: known.after, entries } : null;
  }

  async #toEnd(redis: Fetching, known: Counted, newest: EntryId): Promise<Counted> {
    if (known.toEnd) return known;
    const { entries, upTo, whole } = await this.#fetch(redis, known.upTo, newest);
    return { ...known, entries: known.entries + entries, upTo, toEnd: whole };
  }

  /** After `from` up to and including `to`, or as far as is fetched at one look. */
  async #fetch(redis: Fetching, from: EntryId, to: EntryId) {
    const { most, piece } = this.#limits;
    let upTo = from;
    let entries = 0;
    do {
      const found = await redis.xrange(this.#key, `(${textOfId(upTo)}`, textOfId(to), 'COUNT', piece);
      entries += found.length;
      if (found.length < piece) return { entries, upTo: to, whole: true };
      upTo = entryIdOf(found.at(-1)?.[0] as string);
    } while (entries < most && isBefore(upTo, to));
    return { entries, upTo, whole: !isBefore(upTo, to) };
  }
}

/** Another stream under the same name: a stream never holds what is older than its oldest was. */
function isSetBack(then: Pick<StreamFacts, 'oldest'>, { oldest }: Pick<StreamFacts, 'oldest'>): boolean {
  return then.oldest !== null && oldest !== null && isBefore(oldest, then.oldest);
}

/** Nothing that followed `after` has been removed, ever. */
function isWhole({ oldest, removed }: StreamFacts, after: EntryId): boolean {
  return oldest !== null && removed !== null && !isBefore(after, oldest) && !isBefore(after, removed);
}
