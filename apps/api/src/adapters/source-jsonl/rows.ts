/** The rows of one file from a place on, in pieces; the place is one at which a row begins. */
import type { Row, RowReading } from '../source-rows/row.ts';
import { bytesOf, type Fetched } from './bytes.ts';
import type { LineSourceConfig } from './config.ts';
import { csvHeader, csvRows } from './csv-records.ts';
import type { LineFile } from './files.ts';
import { jsonRows } from './json-lines.ts';

export interface RowPlace {
  /** Of the file as it is when nothing is compressed. */
  readonly byte: number;
  /** From 1. */
  readonly line: number;
}

export const fileBegin: RowPlace = { byte: 0, line: 1 };

/** Errors: `source_corrupt` with the line, `source_schema` for a header without a column that is needed, and those of {@link bytesOf}. */
export async function* rowsOf(
  file: LineFile,
  config: LineSourceConfig,
  reading: RowReading,
  from: RowPlace,
  fetched: Fetched,
): AsyncGenerator<Row[]> {
  if (config.kind === 'jsonl') {
    yield* jsonRows(bytesOf(file, from.byte, fetched), from, reading);
    return;
  }
  const delimiter = config.delimiter ?? ',';
  const header = await csvHeader(
    bytesOf(file, 0, () => undefined),
    file,
    reading,
    delimiter,
  );
  if (header === null) return;
  const start = from.byte > 0 ? from : header.end;
  yield* csvRows(bytesOf(file, start.byte, fetched), { file, from: start, header, delimiter, reading });
}
