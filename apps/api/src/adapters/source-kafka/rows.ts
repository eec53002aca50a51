/** One record as a row. What has no time of its own that an event may have is met at the time of its record, or at the nearest to it that may be. */
import { EVENT_TIMES } from '../../data-plane/event-limits.ts';
import { jsonFields } from '../source-jsonl/json-lines.ts';
import { type Row, type RowColumns, RowReading } from '../source-rows/row.ts';
import type { SourceMap } from '../source-rows/source-map.ts';
import type { KafkaSourceConfig } from './config.ts';
import type { TopicRecord } from './records.ts';

export interface TopicRow extends Row {
  readonly offset: number;
  /** Of its record, epoch ms. */
  readonly timestamp: number;
  readonly at: number;
}

const NOWHERE = { line: 0, endByte: null, endLine: 0 };
/** What a record is known to have when no column is named for the time. */
const TIMESTAMP = 'timestamp';

export class RecordReading {
  readonly #columns: RowColumns;
  readonly #reading: RowReading;
  readonly #ownTime: boolean;

  constructor({ columns, timeFormat }: KafkaSourceConfig, sources: SourceMap) {
    const { time, ...others } = columns;
    this.#ownTime = time !== undefined;
    this.#columns = { time: time ?? TIMESTAMP, ...others };
    const format = this.#ownTime ? (timeFormat ?? 'text') : 'milliseconds';
    this.#reading = new RowReading(this.#columns, format, sources);
  }

  /** Null: a tombstone, which is no row. */
  row({ offset, timestamp, value }: TopicRecord): TopicRow | null {
    if (value === null) return null;
    const fields = jsonFields(value, this.#columns, false);
    const row =
      fields === null || typeof fields === 'string'
        ? this.#reading.broken(NOWHERE, fields ?? 'empty')
        : this.#reading.row(NOWHERE, this.#ownTime ? fields : { ...fields, time: timestamp });
    const { from, to } = EVENT_TIMES;
    return { ...row, offset, timestamp, at: row.at ?? Math.min(Math.max(timestamp, from), to - 1) };
  }
}
