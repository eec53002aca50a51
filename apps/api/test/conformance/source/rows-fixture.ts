/** Rows as files of lines, written by DuckDB: not by what reads them. */
import { query } from './parquet-fixture.ts';
import type { HistoryRow } from './source-conformance.ts';

export interface LinesShape {
  readonly kind: 'jsonl' | 'csv';
  readonly compression?: 'none' | 'gzip' | 'zstd';
  readonly timeFormat?: 'text' | 'milliseconds';
  /** Names of its own, `e<row>`, in a column. */
  readonly named?: boolean;
}

/** `firstRow`: number of the first row, for its name. */
export async function writeLines(
  path: string,
  rows: readonly HistoryRow[],
  { kind, compression = 'none', timeFormat = 'text', named = false }: LinesShape,
  firstRow = 0,
): Promise<void> {
  const list = (values: readonly (string | number | null)[]) =>
    `[${values.map((value) => (value === null ? 'NULL' : typeof value === 'number' ? value : `'${value}'`)).join(',')}]`;
  const time = timeFormat === 'text' ? 'make_timestamp_ms(ms)' : 'ms';
  await query(`
    COPY (
      SELECT ${time} AS happened, 'a "quoted"; text, with
a newline' AS other, key AS place, value AS amount ${named ? `, 'e' || (${firstRow} + row_number() OVER () - 1) AS name` : ''}
      FROM (SELECT unnest(${list(rows.map(({ at }) => at))}::BIGINT[]) AS ms, unnest(${list(rows.map(({ key }) => key))}::VARCHAR[]) AS key,
                   unnest(${list(rows.map(({ value }) => value))}::DOUBLE[]) AS value)
    ) TO '${path}' (FORMAT ${kind === 'jsonl' ? 'json' : 'csv, HEADER true'}, COMPRESSION ${compression})`);
}
