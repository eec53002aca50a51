/** Entries as Redis gives them out. */
import { type DeliveredEntry, StreamError } from '../../data-plane/ports.ts';
import { type EntryRecord, entryReader } from '../stream-entry-record.ts';
import { ENTRY_FIELD } from './keys.ts';
import { offsetOf, placeOfId } from './place.ts';

/** In the order of the stream. */
export type Fields = readonly string[];

/**
 * `after`: the ordinal of the last entry known; null when any may be the first.
 * Errors: {@link StreamError} `gap` when an entry is missing among them or before them, `stream_corrupt` for what Spillway has not written.
 */
export function entriesOf(
  found: readonly (readonly [id: string, fields: Fields])[],
  after: number | null,
): readonly DeliveredEntry[] {
  const entryOf = entryReader();
  let last = after;
  return found.map(([id, fields]) => {
    const record = recordIn(id, fields);
    const place = placeOfId(id);
    if (last !== null && place.ordinal !== last + 1)
      throw new StreamError('gap', `after entry ${last} the stream holds entry ${place.ordinal} (id ${id})`);
    last = place.ordinal;
    return { offset: offsetOf(place), entry: entryOf(record) };
  });
}

/** Bytes appended to the stream before the entry with these fields. */
export function bytesBefore(fields: Fields): number {
  return (recordIn('of the oldest entry', fields) as readonly unknown[]).at(-1) as number;
}

export function publishedAtIn(fields: Fields): number {
  return recordIn('of the oldest entry', fields)[1];
}

/** A record as it was appended, and one more element: the bytes appended before it. */
function recordIn(id: string, fields: Fields): EntryRecord {
  const [name, text] = fields;
  if (name === ENTRY_FIELD && text !== undefined && text.startsWith('[')) {
    try {
      return JSON.parse(text) as EntryRecord;
    } catch {
      // Told below.
    }
  }
  throw new StreamError(
    'stream_corrupt',
    `the entry ${id} was not written by Spillway, or was changed: nothing else may write to its streams (XDEL removes an entry)`,
  );
}
