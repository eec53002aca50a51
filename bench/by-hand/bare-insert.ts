/**
 * The same rows as bare `INSERT`s: nothing but one connection, a table with the store's columns and key, and a thousand rows a statement, prepared. Once
 * as `insert … values (…), (…)`, which is what is usually written, and once from an array for each column, which is the quickest of them.
 */
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import pg from 'pg';
import { flightsHistory } from '../../apps/api/src/demo/flights.ts';

const BATCH = 1_000;
const COLUMNS = 5;

const statements = {
  values: {
    text: `insert into bare_events (at, value, id, source_id, key) values ${places()}`,
    values: (columns: readonly (readonly unknown[])[]) =>
      (columns[0] ?? []).flatMap((_, row) => columns.map((column) => column[row])),
  },
  arrays: {
    text: `insert into bare_events (at, value, id, source_id, key)
      select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])`,
    values: (columns: readonly (readonly unknown[])[]) => [...columns],
  },
};

export type BareStatement = keyof typeof statements;

/** `($1,$2,…),(…),…` for a whole batch. */
function places(): string {
  const row = (number: number) =>
    Array.from({ length: COLUMNS }, (_, column) => `$${number * COLUMNS + column + 1}`).join(',');
  return Array.from({ length: BATCH }, (_, number) => `(${row(number)})`).join(',');
}

/** Events per second, of as many whole batches as `events` make; reading and decoding them is not counted. */
export async function bareInsert(
  postgresUrl: string,
  events: number,
  statement: BareStatement,
): Promise<number> {
  const file = await asyncBufferFromFile(flightsHistory().file);
  const columns = ['origin', 'date', 'delay'];
  const rows = await parquetReadObjects({
    file,
    compressors,
    columns,
    rowStart: 0,
    rowEnd: events - (events % BATCH),
  });
  const { text, values } = statements[statement];
  const client = new pg.Client(postgresUrl);
  await client.connect();
  try {
    await client.query(`create table bare_events (at bigint not null, value bigint not null, dataset integer not null default 0,
      id text collate "C" not null, source_id text collate "C" not null, key text collate "C" not null);
      create unique index on bare_events (dataset, at, id)`);
    const fromMs = performance.now();
    for (let from = 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      await client.query({
        name: 'bare',
        text,
        values: values([
          batch.map((row) => Number(row['date'])),
          batch.map((row) => row['delay']),
          batch.map((_, index) => `flights-3m.parquet#${from + index}`),
          batch.map(() => 'west'),
          batch.map((row) => row['origin']),
        ]),
      });
    }
    return rows.length / ((performance.now() - fromMs) / 1000);
  } finally {
    await client.query('drop table if exists bare_events');
    await client.end();
  }
}
