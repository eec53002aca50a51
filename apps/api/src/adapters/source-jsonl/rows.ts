/** The rows of one object from a place on, in pieces; the place is one at which a row begins. */
import type { ObjectPlace, StoredObject } from '../source-objects/objects.ts';
import type { Fetched } from '../source-objects/pieces.ts';
import type { Row, RowReading } from '../source-rows/row.ts';
import { bytesOf } from './bytes.ts';
import type { LineFormat } from './config.ts';
import { csvRows } from './csv-records.ts';
import { jsonRows } from './json-lines.ts';

export interface RowPlace {
  /** Of the object as it is when nothing is compressed. */
  readonly byte: number;
  /** From 1. */
  readonly line: number;
}

export const objectBegin: RowPlace = { byte: 0, line: 1 };

/** Where lines lie and what makes them events. */
export interface Lines {
  readonly place: ObjectPlace;
  readonly format: LineFormat;
  readonly reading: RowReading;
}

/** Errors: those of {@link csvRows} and of {@link bytesOf}. */
export function rowsOf(
  object: StoredObject,
  { place, format, reading }: Lines,
  from: RowPlace,
  fetched: Fetched,
): AsyncGenerator<Row[]> {
  const pieces = bytesOf(place, object, from.byte, fetched);
  if (format.kind === 'jsonl') return jsonRows(pieces, from, reading);
  return csvRows(pieces, { file: object, from, delimiter: format.delimiter ?? ',', reading });
}
