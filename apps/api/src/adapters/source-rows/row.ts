/** One row as it was found, and the event it makes or why it makes none. */
import type { TimeFormat } from '@spillway/shared/api/source';
import type { QuarantinedEvent } from '../../data-plane/event.ts';
import { isEventTime, nameFault } from '../../data-plane/event-limits.ts';
import { parseEventTime } from './event-time.ts';
import type { SourceMap } from './source-map.ts';

export type Fault = Pick<QuarantinedEvent, 'code' | 'detail'>;

export interface Row {
  /** Where it begins, from 1. */
  readonly line: number;
  /** Byte of the file, as it is when nothing is compressed, and line, with which the next row begins. Null: that is not known, reading cannot begin there. */
  readonly endByte: number | null;
  readonly endLine: number;
  /** Epoch ms; null: it has none that an event may have. */
  readonly at: number | null;
  /** Position of its source; -1: of none. What has no key is met by the first, so that one source quarantines it and not all or none. */
  readonly source: number;
  /** Null: the line is it. */
  readonly id: string | null;
  readonly key: string;
  readonly value: number;
  readonly fault: Fault | null;
}

export interface TimedRow extends Row {
  readonly at: number;
}

/** A row that has no time has that of the row before it, the first of them `carry`. */
export function timed(rows: readonly Row[], carry: number): readonly TimedRow[] {
  let last = carry;
  return rows.map((row) => {
    last = row.at ?? last;
    return row.at === null ? { ...row, at: last } : (row as TimedRow);
  });
}

/** What a field was, or undefined where the row has none; a null counts as none. */
export interface Fields {
  readonly time: unknown;
  readonly key: unknown;
  readonly value: unknown;
  /** Absent: the source names no column for it. */
  readonly id?: unknown;
}

export interface RowColumns {
  readonly time: string;
  readonly key: string;
  readonly value: string;
  readonly id?: string | undefined;
}

type Place = Pick<Row, 'line' | 'endByte' | 'endLine'>;

export class RowReading {
  readonly columns: RowColumns;
  readonly #timeFormat: TimeFormat;
  readonly #sources: SourceMap;

  constructor(columns: RowColumns, timeFormat: TimeFormat, sources: SourceMap) {
    this.columns = columns;
    this.#timeFormat = timeFormat;
    this.#sources = sources;
  }

  row(place: Place, fields: Fields): Row {
    const { columns } = this;
    const keyed = typeof fields.key === 'string' && fields.key.isWellFormed();
    const time = isMissing(fields.time) ? null : parseEventTime(fields.time, this.#timeFormat);
    const value = wholeNumber(fields.value);
    return {
      ...place,
      at: time !== null && isEventTime(time) ? time : null,
      source: keyed ? this.#sources.sourceOf(fields.key as string) : this.#first,
      id: columns.id === undefined ? null : idOf(fields.id),
      key: keyed ? (fields.key as string) : '',
      value: value ?? 0,
      fault:
        this.#timeFault(fields.time, time) ??
        keyFault(columns.key, fields.key) ??
        measureFault(columns.value, fields.value, value) ??
        (columns.id === undefined ? null : idFault(columns.id, fields.id)),
    };
  }

  #timeFault(field: unknown, time: number | null): Fault | null {
    const { time: column } = this.columns;
    const format = `(timeFormat ${this.#timeFormat})`;
    if (isMissing(field)) return missing(column);
    if (time === null) return unparsable(`${column} is no time ${format}`);
    return isEventTime(time) ? null : outOfRange(`${column} is not within 1970 to 2199 ${format}`);
  }

  /** A row of which nothing can be read. */
  broken(place: Place, detail: string): Row {
    return {
      ...place,
      at: null,
      source: this.#first,
      id: null,
      key: '',
      value: 0,
      fault: unparsable(detail),
    };
  }

  get #first(): number {
    return this.#sources.ids.length > 0 ? 0 : -1;
  }
}

/** A number, or digits as text, that is a safe integer. Null: it is none. */
function wholeNumber(value: unknown): number | null {
  const number =
    typeof value === 'string' && /^[+-]?\d{1,16}(\.0{1,9})?$/.test(value) ? Number(value) : value;
  // Not -0: its decimal is another.
  return Number.isSafeInteger(number) ? (number as number) + 0 : null;
}

function idOf(value: unknown): string | null {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' ? value : null;
}

function keyFault(column: string, field: unknown): Fault | null {
  if (isMissing(field)) return missing(column);
  return typeof field === 'string' ? faultOfName(column, field) : unparsable(`${column} is not a string`);
}

function measureFault(column: string, field: unknown, value: number | null): Fault | null {
  if (isMissing(field)) return missing(column);
  return value === null ? outOfRange(`${column} is not a safe integer`) : null;
}

function idFault(column: string, field: unknown): Fault | null {
  const id = idOf(field);
  if (isMissing(field) || id === '') return missing(column);
  return id === null
    ? unparsable(`${column} is neither a string nor a whole number`)
    : faultOfName(column, id);
}

function faultOfName(column: string, name: string): Fault | null {
  const fault = nameFault(name);
  return fault === null ? null : unparsable(`${column} ${fault}`);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

function missing(column: string): Fault {
  return { code: 'missing_field', detail: `${column} is missing` };
}

function unparsable(detail: string): Fault {
  return { code: 'unparsable', detail };
}

function outOfRange(detail: string): Fault {
  return { code: 'value_out_of_range', detail };
}
