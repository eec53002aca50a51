/**
 * What stands in one entry of Redis: a pack of entries of the port, neighbours of one append. An entry costs the server and its clients some
 * four microseconds however little is in it, which was a sixth of all the processor time of a replay (docs/measurements.md).
 *
 * The pack's id is that of its last entry, so whoever reads after any place is given the pack in which that place is followed. All entries of a
 * pack have its millisecond: a place of another one does not lie within, whatever its ordinal is. (It is of a stream that has lost its end and
 * gave out the ordinal again.)
 */
import { type DeliveredEntry, type StreamEntry, StreamError } from '../../data-plane/ports.ts';
import { type EntryRecord, entryReader, publishedAtOf, recordOf } from '../stream-entry-record.ts';
import { offsetOf, type Place, placeOfId } from './place.ts';

/** Some three kilobytes: what Redis keeps in one piece of memory anyway. */
export const PACK_ENTRIES = 32;

/** Fields of a pack, in this order. */
export const PACK_FIELD = 'p';
export const COUNT_FIELD = 'n';
/** The only field of an entry of before there were packs: a record. Not that of a pack, which an applier of then would take for one. */
const RECORD_FIELD = 'e';

/** `fields`: names and values in turns, in the order they were written. */
export type FoundPack = readonly [id: string, fields: readonly string[]];

export interface Pack {
  readonly count: number;
  /** JSON without its closing bracket: the bytes appended before it become its last element. */
  readonly text: string;
}

export function packsOf(entries: readonly StreamEntry[]): readonly Pack[] {
  const packs: Pack[] = [];
  for (let from = 0; from < entries.length; from += PACK_ENTRIES) {
    const packed = entries.slice(from, from + PACK_ENTRIES);
    packs.push({ count: packed.length, text: JSON.stringify(packed.map(recordOf)).slice(0, -1) });
  }
  return packs;
}

/**
 * The entries in `found`, in the order of the stream, `most` at most. `after`: where the last entry known is; null when any may be the first.
 * Errors: {@link StreamError} `gap` when an entry is missing among them or before them, `stream_corrupt` for what Spillway has not written.
 */
export function entriesOf(
  found: readonly FoundPack[],
  after: Place | null,
  most: number,
): readonly DeliveredEntry[] {
  const entryOf = entryReader();
  const delivered: DeliveredEntry[] = [];
  let known = after;
  for (const pack of found) {
    if (delivered.length >= most) break;
    const { records, first, last } = contentsOf(pack);
    const { ms } = last;
    const next = known === null ? first : known.ordinal + 1;
    const isWithin = known?.ms === ms && next > first && next <= last.ordinal;
    if (next !== first && !isWithin)
      throw new StreamError(
        'gap',
        `after entry ${next - 1} the stream holds entries ${first} to ${last.ordinal} (id ${pack[0]})`,
      );
    for (let ordinal = next; ordinal <= last.ordinal && delivered.length < most; ordinal++)
      delivered.push({
        offset: offsetOf({ ordinal, ms }),
        entry: entryOf(records[ordinal - first] as EntryRecord),
      });
    known = last;
  }
  return delivered;
}

/** How many entries these packs hold, one with another; at least 1. */
export function entriesPerPack(found: readonly FoundPack[]): number {
  const held = found.reduce((sum, [, fields]) => sum + Math.max(1, Number(fields[3]) || 1), 0);
  return held / found.length;
}

/** Bytes appended to the stream before the pack. */
export function bytesBefore(pack: FoundPack): number {
  return contentsOf(pack).bytes;
}

/** Of the entry of this ordinal, which the pack holds. */
export function publishedAt(pack: FoundPack, ordinal: number): number {
  const { records, first } = contentsOf(pack);
  return publishedAtOf(records[ordinal - first] as EntryRecord);
}

interface Contents {
  readonly records: readonly EntryRecord[];
  /** Appended before it. */
  readonly bytes: number;
  /** Ordinal of its first entry. */
  readonly first: number;
  readonly last: Place;
}

function contentsOf([id, [name, text = '', counted, count]]: FoundPack): Contents {
  const isPack = name === PACK_FIELD && counted === COUNT_FIELD;
  const isRecord = name === RECORD_FIELD && counted === undefined;
  if (isPack || isRecord) {
    try {
      const parsed = JSON.parse(text) as unknown[];
      const bytes = parsed.pop() as number;
      const records = (isPack ? parsed : [parsed]) as readonly EntryRecord[];
      const last = placeOfId(id);
      if (isRecord || (records.length === Number(count) && records.every(Array.isArray)))
        return { records, bytes, first: last.ordinal - records.length + 1, last };
    } catch {
      // Told below.
    }
  }
  throw new StreamError(
    'stream_corrupt',
    `the entry ${id} was not written by Spillway, or was changed: nothing else may write to its streams (XDEL removes an entry)`,
  );
}
