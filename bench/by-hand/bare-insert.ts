/**
 * The same rows as bare `INSERT`s: nothing but one connection, a table, and a thousand rows a statement. Into a table with the store's
 * columns and key, as `insert … values (…), (…)`, prepared and as a text with values, which is what is usually written (and how the by-hand replay sends its
 * own), and from an array for each column, which is the quickest of them; and into the table of the by-hand replay, with an id for its key.
 */
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import pg from 'pg';
import { flightsHistory } from '../../apps/api/src/demo/flights.ts';

const BATCH = 1_000;

interface Row {
  readonly at: number;
  readonly value: number;
  readonly id: string;
  readonly sourceId: string;
  readonly key: string;
}

/** Of a batch, a list for each column. */
type Columns = readonly (readonly unknown[])[];

const asTheStores = {
  table: `create table bare_events (at bigint not null, value bigint not null, dataset integer not null default 0,
    id text collate "C" not null, source_id text collate "C" not null, key text collate "C" not null);
    create unique index on bare_events (dataset, at, id)`,
  columns: (rows: readonly Row[]): Columns => [
    rows.map(({ at }) => at),
    rows.map(({ value }) => value),
    rows.map(({ id }) => id),
    rows.map(({ sourceId }) => sourceId),
    rows.map(({ key }) => key),
  ],
};
const asByHand = {
  table:
    'create table bare_events (id text primary key, key text not null, at timestamptz not null, value bigint not null)',
  columns: (rows: readonly Row[]): Columns => [
    rows.map(({ id }) => id),
    rows.map(({ key }) => key),
    rows.map(({ at }) => new Date(at).toISOString()),
    rows.map(({ value }) => value),
  ],
};
const oneByOne = (columns: Columns): unknown[] =>
  (columns[0] ?? []).flatMap((_, row) => columns.map((column) => column[row]));

const inValues = {
  ...asTheStores,
  insert: `insert into bare_events (at, value, id, source_id, key) values ${places(5)}`,
  parameters: oneByOne,
};

const kinds = {
  values: { ...inValues, name: 'bare' },
  unprepared: inValues,
  arrays: {
    ...asTheStores,
    name: 'bare',
    insert: `insert into bare_events (at, value, id, source_id, key)
      select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])`,
    parameters: (columns: Columns): unknown[] => [...columns],
  },
  byHand: {
    ...asByHand,
    name: 'bare',
    insert: `insert into bare_events (id, key, at, value) values ${places(4)}`,
    parameters: oneByOne,
  },
};

export type BareInsert = keyof typeof kinds;

/** `($1,$2,…),(…),…` for a whole batch. */
function places(columns: number): string {
  const row = (number: number) =>
    Array.from({ length: columns }, (_, column) => `$${number * columns + column + 1}`).join(',');
  return Array.from({ length: BATCH }, (_, number) => `(${row(number)})`).join(',');
}

/** Events per second, of as many whole batches as `events` make; reading and decoding them is not counted. */
export async function bareInsert(postgresUrl: string, events: number, kind: BareInsert): Promise<number> {
  const { table, columns, insert, parameters, ...prepared } = kinds[kind];
  const rows = await read(events - (events % BATCH));
  const client = new pg.Client(postgresUrl);
  await client.connect();
  try {
    await client.query(table);
    const fromMs = performance.now();
    for (let from = 0; from < rows.length; from += BATCH)
      await client.query({
        ...prepared,
        text: insert,
        values: parameters(columns(rows.slice(from, from + BATCH))),
      });
    return rows.length / ((performance.now() - fromMs) / 1000);
  } finally {
    await client.query('drop table if exists bare_events');
    await client.end();
  }
}

async function read(events: number): Promise<Row[]> {
  const file = await asyncBufferFromFile(flightsHistory().file);
  const columns = ['origin', 'date', 'delay'];
  const rows = await parquetReadObjects({ file, compressors, columns, rowStart: 0, rowEnd: events });
  return rows.map((row, index) => ({
    at: Number(row['date']),
    value: Number(row['delay']),
    id: `flights-3m.parquet#${index}`,
    sourceId: 'west',
    key: String(row['origin']),
  }));
}
