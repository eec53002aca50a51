/** CSV as RFC 4180 has it, with a header; what is a record says csv-parse (decision 0014). Empty lines are no rows. */
import { type CsvError, type InfoRecord, type Options, Parser } from 'csv-parse';
import { SourceError } from '../../data-plane/ports.ts';
import type { StoredObject } from '../source-objects/objects.ts';
import type { Row, RowReading } from '../source-rows/row.ts';
import type { RowPlace } from './rows.ts';

/** Characters of a record. */
const RECORD_LENGTH_MAX = 1 << 20;

interface CsvHeader {
  readonly fields: number;
  readonly time: number;
  readonly key: number;
  readonly value: number;
  readonly id: number | null;
}

/** Of the objects that have been read from their beginning: nobody begins anywhere else in one before. */
const headers = new WeakMap<StoredObject, CsvHeader>();

/**
 * What is wrong with more than one record: where a quoted field ends cannot be said, so rows behind it would be part of it and lost without a
 * word. Such a file is refused. Not the library's own words, which quote what was found.
 */
const swallows: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'a quote in a quoted field is neither doubled nor the end of the field',
  CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
  CSV_MAX_RECORD_SIZE: `a record is longer than ${RECORD_LENGTH_MAX} characters: most likely a quote is never closed`,
};

interface CsvRecord {
  readonly record: readonly string[];
  readonly bytes: number;
  readonly lines: number;
}

/**
 * From the object's first byte on, or from where a row begins in one that has been read from there before.
 * Errors: `source_schema` for a header that cannot be read, or without a column that is needed, or with it twice; `source_corrupt` with the line.
 */
export async function* csvRows(
  pieces: AsyncIterable<Buffer>,
  options: {
    readonly file: StoredObject;
    readonly from: RowPlace;
    readonly delimiter: string;
    readonly reading: RowReading;
  },
): AsyncGenerator<Row[]> {
  const { file, from, delimiter, reading } = options;
  let header = from.byte === 0 ? null : (headers.get(file) ?? null);
  if (from.byte > 0 && header === null) throw new Error(`the header of ${file.name} has not been read`);
  let rows: Row[] = [];
  let skippedLine = 0;
  const parsing = new Parsing(file, from, delimiter, {
    record({ record, bytes, lines }) {
      if (header === null) {
        header = headerOf(record, file, reading);
        headers.set(file, header);
        return;
      }
      const line = lines - newlinesIn(record);
      const place = { line, endByte: bytes, endLine: lines + 1 };
      rows.push(
        record.length === header.fields
          ? reading.row(place, fieldsOf(record, header))
          : reading.broken(place, `${record.length} fields where the header has ${header.fields}`),
      );
    },
    // Once for a record, however much is wrong with it.
    skipped(line, detail) {
      if (header === null)
        throw new SourceError(
          'source_schema',
          `${file.name} has no header: ${detail}`,
          `${file.name} line 1`,
        );
      if (line === skippedLine) return;
      skippedLine = line;
      rows.push(reading.broken({ line, endByte: null, endLine: line + 1 }, detail));
    },
  });
  for await (const piece of pieces) {
    parsing.take(piece);
    if (rows.length > 0) yield rows;
    rows = [];
  }
  await parsing.end();
  if (rows.length > 0) yield rows;
}

function headerOf(names: readonly string[], file: StoredObject, { columns }: RowReading): CsvHeader {
  const place = (column: string): number => {
    const found = names.indexOf(column);
    if (found < 0)
      throw new SourceError('source_schema', `${file.name} has no column ${column}`, `${file.name} line 1`);
    if (names.lastIndexOf(column) !== found)
      throw new SourceError('source_schema', `${file.name} has two columns ${column}`, `${file.name} line 1`);
    return found;
  };
  return {
    fields: names.length,
    time: place(columns.time),
    key: place(columns.key),
    value: place(columns.value),
    id: columns.id === undefined ? null : place(columns.id),
  };
}

/** Nothing between two delimiters is no value: CSV has no null. */
function fieldsOf(record: readonly string[], { time, key, value, id }: CsvHeader) {
  const field = (place: number) => {
    const text = record[place];
    // Broken UTF-8 has become U+FFFD: no name that could be told from another.
    return text === '' ? undefined : text?.includes('\ufffd') === true ? Number.NaN : text;
  };
  const fields = { time: field(time), key: field(key), value: field(value) };
  return id === null ? fields : { ...fields, id: field(id) };
}

function newlinesIn(record: readonly string[]): number {
  let newlines = 0;
  for (const field of record)
    for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) newlines += 1;
  return newlines;
}

/** The library's parser, fed piece by piece; it tells of each record while it takes the piece that ends it. */
class Parsing {
  readonly #parser: Parser;
  readonly #file: StoredObject;

  constructor(
    file: StoredObject,
    from: RowPlace,
    delimiter: string,
    listener: {
      readonly record: (record: CsvRecord) => void;
      readonly skipped: (line: number, detail: string) => void;
    },
  ) {
    this.#file = file;
    const lineOf = (lines: number) => from.line - 1 + lines;
    const options: Options = {
      delimiter,
      bom: from.byte === 0,
      columns: false,
      // Both, wherever reading begins: the library would otherwise take the first it meets for all of them.
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: RECORD_LENGTH_MAX,
      on_record: (record: string[], { bytes, lines }: InfoRecord) => {
        listener.record({ record, bytes: from.byte + bytes, lines: lineOf(lines) });
        return null;
      },
      on_skip: (error: CsvError | undefined) => {
        const line = lineOf(Number(error?.['lines'] ?? 1));
        const swallowed = swallows[error?.code ?? ''];
        if (swallowed !== undefined)
          throw new SourceError('source_corrupt', `${file.name}: ${swallowed}`, `${file.name} line ${line}`);
        listener.skipped(
          line,
          error?.code === 'INVALID_OPENING_QUOTE'
            ? 'a quote inside a field that does not begin with one'
            : 'not a CSV record',
        );
      },
    };
    this.#parser = new Parser(options);
    // What it fails with is asked for after each piece.
    this.#parser.on('error', () => undefined);
  }

  take(piece: Buffer): void {
    this.#parser.write(piece);
    this.#check();
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => this.#parser.end(() => resolve()));
    this.#check();
  }

  #check(): void {
    const failure = this.#parser.errored;
    if (!failure) return;
    throw failure instanceof SourceError
      ? failure
      : new SourceError('source_corrupt', `${this.#file.name}: ${failure.message}`, null, { cause: failure });
  }
}
