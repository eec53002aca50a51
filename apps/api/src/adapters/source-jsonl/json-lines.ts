/** A JSON object a line, UTF-8. Empty lines are no rows. */
import type { Fields, Row, RowColumns, RowReading } from '../source-rows/row.ts';
import type { RowPlace } from './rows.ts';

/** Bytes of a line. A longer one is skipped to its end and quarantined, so that memory stays bounded whatever the file holds. */
const LINE_BYTES_MAX = 1 << 20;

const NEWLINE = 10;
const utf8 = new TextDecoder('utf-8', { fatal: true });

export async function* jsonRows(
  pieces: AsyncIterable<Buffer>,
  from: RowPlace,
  reading: RowReading,
): AsyncGenerator<Row[]> {
  const splitter = new LineSplitter(from);
  for await (const piece of pieces) {
    const rows = splitter.take(piece).flatMap((line) => rowOf(line, reading));
    if (rows.length > 0) yield rows;
  }
  const last = splitter.end().flatMap((line) => rowOf(line, reading));
  if (last.length > 0) yield last;
}

interface Line {
  /** Null: it is longer than a line may be. */
  readonly bytes: Buffer | null;
  readonly line: number;
  readonly endByte: number;
}

/** Keeps the beginning of a line until its end has come. */
class LineSplitter {
  #byte: number;
  #line: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor({ byte, line }: RowPlace) {
    this.#byte = byte;
    this.#line = line;
  }

  take(piece: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      this.#byte += end + 1 - start;
      lines.push(this.#ended(piece.subarray(start, end)));
      start = end + 1;
    }
    const rest = piece.subarray(start);
    this.#byte += rest.length;
    this.#keep(rest);
    return lines;
  }

  /** What stands behind the last newline. */
  end(): Line[] {
    return this.#keptBytes === 0 ? [] : [this.#ended(Buffer.alloc(0))];
  }

  #ended(end: Buffer): Line {
    const tooLong = this.#keptBytes + end.length > LINE_BYTES_MAX;
    const bytes = this.#kept.length === 0 ? end : Buffer.concat([...this.#kept, end]);
    this.#kept = [];
    this.#keptBytes = 0;
    return { bytes: tooLong ? null : bytes, line: this.#line++, endByte: this.#byte };
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#keptBytes += rest.length;
    if (this.#keptBytes > LINE_BYTES_MAX) this.#kept = [];
    else this.#kept.push(rest);
  }
}

function rowOf({ bytes, line, endByte }: Line, reading: RowReading): Row[] {
  const place = { line, endByte, endLine: line + 1 };
  if (bytes === null) return [reading.broken(place, `longer than ${LINE_BYTES_MAX} bytes`)];
  const fields = jsonFields(bytes, reading.columns, line === 1);
  if (fields === null) return [];
  return [typeof fields === 'string' ? reading.broken(place, fields) : reading.row(place, fields)];
}

/** Of one JSON object. Text: why it is none; null: there is nothing but blanks. `first`: a byte order mark may stand before it. */
export function jsonFields(
  bytes: Buffer,
  { time, key, value, id }: RowColumns,
  first: boolean,
): Fields | string | null {
  const found = textOf(bytes);
  if (found === null) return 'not UTF-8';
  const text = first && found.startsWith('\ufeff') ? found.slice(1) : found;
  if (text.trim() === '') return null;
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return parsed === undefined ? 'not JSON' : 'not a JSON object';
  const field = (name: string) =>
    Object.hasOwn(parsed, name) ? (parsed as Record<string, unknown>)[name] : undefined;
  const fields = { time: field(time), key: field(key), value: jsonNumber(field(value)) };
  return id === undefined ? fields : { ...fields, id: field(id) };
}

/** In JSON a measure in quotes is not a number. */
function jsonNumber(value: unknown): unknown {
  return typeof value === 'string' ? Number.NaN : value;
}

function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  // Broken bytes have become U+FFFD; but that may also have been written.
  if (!text.includes('\ufffd')) return text;
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** Undefined: it is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
