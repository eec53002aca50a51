/**
 * What stands in one entry of Redis: a pack of entries of the port, neighbours of one append. An entry costs the server and its client some
 * three microseconds however little is in it, which was a fifth of all the processor time of a replay (docs/measurements.md).
 *
 * The pack's id is that of its last entry, so whoever reads after any place is given the pack in which that place is followed.
 */
import { type DeliveredEntry, type StreamEntry, StreamError } from '../../data-plane/ports.ts';
import { type EntryRecord, entryReader, publishedAtOf, recordOf } from '../stream-entry-record.ts';
import { offsetOf, placeOfId } from './place.ts';

/** Some three kilobytes: what Redis keeps in one piece of memory anyway. */
export const PACK_ENTRIES = 32;

/** Fields of a pack, in this order. */
export const PACK_FIELD = 'e';
export const COUNT_FIELD = 'n';

/** As {@link Fields} of a stream, in the order they were written. */
export type Fields = readonly string[];
export type FoundPack = readonly [id: string, fields: Fields];

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
 * The entries in `found`, in the order of the stream, `most` at most. `after`: the ordinal of the last entry known; null when any may be the first.
 * Errors: {@link StreamError} `gap` when an entry is missing among them or before them, `stream_corrupt` for what Spillway has not written.
 */
export function entriesOf(
  found: readonly FoundPack[],
  after: number | null,
  most: number,
): readonly DeliveredEntry[] {
  const entryOf = entryReader();
  const delivered: DeliveredEntry[] = [];
  let known = after;
  for (const [id, fields] of found) {
    if (delivered.length >= most) break;
    const { records } = contentsOf(id, fields);
    const { ms, ordinal: last } = placeOfId(id);
    const first = last - records.length + 1;
    // Of the first pack some may be known: a place may lie within.
    const next = known === null ? first : known + 1;
    if (next < first || next > last)
      throw new StreamError(
        'gap',
        `after entry ${next - 1} the stream holds entries ${first} to ${last} (id ${id})`,
      );
    for (let ordinal = next; ordinal <= last && delivered.length < most; ordinal++)
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
export function bytesBefore([id, fields]: FoundPack): number {
  return contentsOf(id, fields).bytes;
}

/** Of the first entry of the pack that comes after `ordinal`. */
export function publishedAfter([id, fields]: FoundPack, ordinal: number): number {
  const { records } = contentsOf(id, fields);
  const first = placeOfId(id).ordinal - records.length + 1;
  return publishedAtOf(records[Math.max(0, ordinal + 1 - first)] as EntryRecord);
}

function contentsOf(
  id: string,
  fields: Fields,
): { readonly records: readonly EntryRecord[]; readonly bytes: number } {
  const [name, text = '', counted, count] = fields;
  if (name === PACK_FIELD && (counted === COUNT_FIELD || counted === undefined)) {
    try {
      const parsed = JSON.parse(text) as unknown[];
      const bytes = parsed.pop() as number;
      // Before there were packs, an entry was a record and the bytes before it.
      const records = (counted === undefined ? [parsed] : parsed) as unknown as readonly EntryRecord[];
      if (records.length === Number(count ?? 1) && records.every(Array.isArray)) return { records, bytes };
    } catch {
      // Told below.
    }
  }
  throw new StreamError(
    'stream_corrupt',
    `the entry ${id} was not written by Spillway, or was changed: nothing else may write to its streams (XDEL removes an entry)`,
  );
}
