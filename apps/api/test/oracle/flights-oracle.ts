/**
 * The truth about the flights, from DuckDB over the files themselves. Shares no code with the product: it has its own reading of
 * airports.csv, its own cuts of longitude, its own laps and its own hash.
 *
 * By hand: `node apps/api/test/oracle/flights-oracle.ts` prints January and how long it took.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

export interface OracleBucket {
  readonly sourceId: string;
  readonly key: string;
  /** Epoch ms of the hour. */
  readonly start: number;
  readonly count: number;
  readonly sum: string;
  readonly min: number;
  readonly max: number;
  readonly hash: string;
}

export interface OracleWindow {
  /** Epoch ms, half-open. */
  readonly from: number;
  readonly to: number;
  readonly sourceIds?: readonly string[];
}

const data = join(
  dirname(createRequire(import.meta.resolve('../../package.json')).resolve('vega-datasets')),
  '..',
  'data',
);
const lapMs = 181 * 24 * 3_600_000;
const firstDay = Date.UTC(2001, 0, 1);

/** Airports that airports.csv does not know, placed by hand: none of the file's 229. */
const region = `CASE WHEN longitude < -114.5 THEN 'west' WHEN longitude < -102 THEN 'mountain' WHEN longitude < -86 THEN 'central' ELSE 'east' END`;

export class FlightsOracle {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** `sources`: source id by airport, when another mapping than the demo's is asked for. */
  static async open(sources: Readonly<Record<string, string>> | null = null): Promise<FlightsOracle> {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`
      CREATE TABLE airport AS
      SELECT iata AS key, ${region} AS source_id FROM read_csv('${data}/airports.csv', header = true, types = {'longitude': 'DOUBLE'})`);
    if (sources) {
      await connection.run('DELETE FROM airport');
      for (const [key, sourceId] of Object.entries(sources))
        await connection.run('INSERT INTO airport VALUES ($1, $2)', [key, sourceId]);
    }
    await connection.run(`
      CREATE VIEW flight AS
      SELECT a.source_id, f.origin AS key, epoch_ms(f.date) AS event_time, f.delay AS value, f.file_row_number AS row_number
      FROM read_parquet('${data}/flights-3m.parquet', file_row_number = true) f JOIN airport a ON a.key = f.origin`);
    return new FlightsOracle(connection);
  }

  /** Every bucket of the window that has an event, in order of source, hour and key. Only the laps up to `to`, as many as it takes. */
  async buckets(window: OracleWindow): Promise<OracleBucket[]> {
    const result = await this.#connection.runAndReadAll(`
      SELECT source_id, key, hour, count(*)::DOUBLE, sum(value)::VARCHAR, min(value)::DOUBLE, max(value)::DOUBLE,
             (sum(('0x' || right(md5(id || chr(31) || value), 16))::UBIGINT::HUGEINT) % 18446744073709551616)::VARCHAR
      FROM (SELECT *, (event_time - event_time % 3600000)::DOUBLE AS hour FROM (${this.#events(window)}))
      GROUP BY ALL ORDER BY source_id, hour, key`);
    return result
      .getRows()
      .map(
        ([sourceId, key, start, count, sum, min, max, hash]) =>
          ({ sourceId, key, start, count, sum, min, max, hash }) as OracleBucket,
      );
  }

  /** Events of the window by source. */
  async counts(window: OracleWindow): Promise<Record<string, number>> {
    const result = await this.#connection.runAndReadAll(
      `SELECT source_id, count(*)::DOUBLE FROM (${this.#events(window)}) GROUP BY ALL ORDER BY ALL`,
    );
    return Object.fromEntries(result.getRows()) as Record<string, number>;
  }

  /**
   * What one reading of a window of the first lap fetches, bytes: the columns of time, delay and origin of every row group that overlaps it, as
   * compressed as they lie in the file.
   */
  async fetchedBytes({ from, to }: Pick<OracleWindow, 'from' | 'to'>): Promise<number> {
    const result = await this.#connection.runAndReadAll(`
      WITH chunk AS (SELECT * FROM parquet_metadata('${data}/flights-3m.parquet')),
      inside AS (
        SELECT row_group_id FROM chunk
        WHERE path_in_schema = 'date' AND epoch_ms(stats_min_value::TIMESTAMP) < ${to} AND epoch_ms(stats_max_value::TIMESTAMP) >= ${from})
      SELECT sum(total_compressed_size)::DOUBLE
      FROM chunk JOIN inside USING (row_group_id) WHERE path_in_schema IN ('date', 'delay', 'origin')`);
    return result.getRows()[0]?.[0] as number;
  }

  close(): void {
    this.#connection.closeSync();
  }

  #events({ from, to, sourceIds }: OracleWindow): string {
    // An event of lap k may lie in the first minutes of lap k + 1, so one lap more than the window touches is looked at.
    const firstLap = Math.max(0, Math.floor((from - firstDay) / lapMs) - 1);
    const endLap = Math.max(firstLap + 1, Math.ceil((to - firstDay) / lapMs));
    const only = sourceIds
      ? `AND source_id IN (${sourceIds.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')})`
      : '';
    return `
      SELECT source_id, key, value, event_time, 'flights-3m.parquet#' || row_number || CASE WHEN lap = 0 THEN '' ELSE '@' || lap END AS id
      FROM (SELECT source_id, key, value, row_number, lap, event_time + lap * ${lapMs} AS event_time FROM flight, range(${firstLap}, ${endLap}) laps(lap))
      WHERE event_time >= ${from} AND event_time < ${to} ${only}`;
  }
}

if (import.meta.main) {
  const startedAt = performance.now();
  const oracle = await FlightsOracle.open();
  const window = { from: Date.UTC(2001, 0, 1), to: Date.UTC(2001, 1, 1) };
  const buckets = await oracle.buckets(window);
  console.log({
    buckets: buckets.length,
    events: await oracle.counts(window),
    seconds: (performance.now() - startedAt) / 1000,
  });
  oracle.close();
}
