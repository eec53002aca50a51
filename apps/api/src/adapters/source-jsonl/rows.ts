/** The rows of one object from a place on, in pieces; the place is one at which a row begins. */
import type { ObjectPlace, StoredObject } from '../source-objects/objects.ts';
import type { Fetched } from '../source-objects/pieces.ts';
import type { Row, RowReading } from '../source-rows/row.ts';
import { bytesOf } from './bytes.ts';
import type { LineFormat } from './config.ts';
import { csvHeader, csvRows } from './csv-records.ts';
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

/** Errors: `source_corrupt` with the line, `source_schema` for a header without a column that is needed, and those of {@link bytesOf}. */
export async function* rowsOf(
  object: StoredObject,
  { place, format, reading }: Lines,
  from: RowPlace,
  fetched: Fetched,
): AsyncGenerator<Row[]> {
  if (format.kind === 'jsonl') {
    yield* jsonRows(bytesOf(place, object, from.byte, fetched), from, reading);
    return;
  }
  const delimiter = format.delimiter ?? ',';
  const header = await csvHeader(
    bytesOf(place, object, 0, () => undefined),
    object,
    reading,
    delimiter,
  );
  if (header === null) return;
  const start = from.byte > 0 ? from : header.end;
  const pieces = bytesOf(place, object, start.byte, fetched);
  yield* csvRows(pieces, { file: object, from: start, header, delimiter, reading });
}
