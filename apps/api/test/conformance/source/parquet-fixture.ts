/** Small Parquet files, written by DuckDB: not by the library that reads them. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { HistoryRow } from './source-conformance.ts';

export interface ParquetShape {
  /** DuckDB makes row groups of multiples of 2,048 rows. */
  readonly rowGroupRows?: number;
  readonly codec?: 'uncompressed' | 'snappy' | 'gzip' | 'zstd' | 'lz4_raw' | 'brotli';
  readonly version?: 'v1' | 'v2';
  readonly timeType?: string;
  readonly valueType?: string;
}

export async function writeParquet(
  path: string,
  rows: readonly HistoryRow[],
  shape: ParquetShape = {},
): Promise<void> {
  const { timeType = 'TIMESTAMP', valueType = 'DOUBLE' } = shape;
  const lists = {
    at: rows.map(({ at }) => at),
    key: rows.map(({ key }) => key),
    value: rows.map(({ value }) => value),
  };
  const text = (list: readonly (string | number | null)[]) =>
    `[${list.map((item) => (item === null ? 'NULL' : typeof item === 'number' ? item : `'${item}'`)).join(',')}]`;
  await query(`
    COPY (
      SELECT make_timestamp_ms(ms)::${timeType} AS happened, key AS place, value::${valueType} AS amount, row_number() OVER () AS other
      FROM (SELECT unnest(${text(lists.at)}::BIGINT[]) AS ms, unnest(${text(lists.key)}::VARCHAR[]) AS key, unnest(${text(lists.value)}::DOUBLE[]) AS value)
    ) TO '${path}' (FORMAT parquet, COMPRESSION ${shape.codec ?? 'zstd'}, ROW_GROUP_SIZE ${shape.rowGroupRows ?? 2048}, PARQUET_VERSION ${shape.version ?? 'v1'})`);
}

export const fixtureColumns = { time: 'happened', key: 'place', value: 'amount' };

/** Runs one statement in a database of its own. */
export async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJS() as unknown[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
