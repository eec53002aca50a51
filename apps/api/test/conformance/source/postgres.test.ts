import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresSource } from '../../../src/adapters/source-postgres/postgres-source.ts';
import { type PostgresServer, startPostgres } from '../../fixtures/postgres-server.ts';
import { fixtureColumns } from './parquet-fixture.ts';
import {
  conformanceSources,
  eventsIn,
  type HistoryRow,
  type HistoryUnderTest,
  quarantinedIn,
  rowsFrom,
  sourceConformance,
} from './source-conformance.ts';

const from = Date.UTC(2001, 0, 1);
const day = 86_400_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

interface TableShape {
  readonly timeType: string;
  readonly valueType: string;
  /** `e00000000`, in the order of the rows of a time; or the number itself. */
  readonly idType: 'text' | 'bigint';
  readonly more?: string;
}

let made = 0;

async function table(rows: readonly HistoryRow[], shape: TableShape): Promise<HistoryUnderTest> {
  const name = `Events ${++made}`;
  const idOf = (row: number) => (shape.idType === 'text' ? `e${String(row).padStart(8, '0')}` : String(row));
  await server.sql(`
    create table "${name}" (happened ${shape.timeType}, place text, amount ${shape.valueType}, "Id" ${shape.idType} not null, primary key ("Id"));
    create index on "${name}" (happened, "Id");
    insert into "${name}" select ${shape.timeType === 'timestamptz' ? 'to_timestamp(ms / 1000.0)' : "to_timestamp(ms / 1000.0) at time zone 'UTC'"}, key, value::${shape.valueType}, id
    from unnest(array[${rows.map(({ at }) => at ?? 'null').join(',')}]::float8[], array[${rows.map(({ key }) => (key === null ? 'null' : `'${key}'`)).join(',')}]::text[],
      array[${rows.map(({ value }) => value ?? 'null').join(',')}]::numeric[], array[${rows.map((_, row) => `'${idOf(row)}'`).join(',')}]::${shape.idType}[]) as one(ms, key, value, id);
    ${shape.more?.replaceAll('$table', `"${name}"`) ?? ''}`);
  const reopen = () =>
    openPostgresSource({
      kind: 'postgres',
      url: server.url('postgres'),
      table: name,
      columns: { ...fixtureColumns, id: 'Id' },
      sources: conformanceSources,
    });
  // In order of time and id: ids are in the order of the rows.
  return {
    history: reopen(),
    expected: eventsIn(rows, idOf).toSorted((one, other) => one.at - other.at),
    quarantined: quarantinedIn(rows, (row) => `public.${name} Id ${idOf(row)}`),
    rows: rows.length,
    reopen,
    change: async () =>
      void (await server.sql(`update "${name}" set amount = 77 where "Id" = '${idOf(rows.length - 1)}'`)),
    remove: async () => void (await server.sql(`drop table "${name}" cascade`)),
    dispose: async () => undefined,
  };
}

const sorted = rowsFrom({ count: 300, from, seed: 1, sorted: true, damaged: false });
const damagedUnsorted = rowsFrom({ count: 300, from: -5 * day, seed: 4, sorted: false, damaged: true });

sourceConformance('PostgreSQL, timestamptz and integers', () =>
  table(sorted, { timeType: 'timestamptz', valueType: 'bigint', idType: 'bigint' }),
);
sourceConformance(
  'PostgreSQL, timestamp and numeric, out of order, rows that are no events, before 1970',
  () => table(damagedUnsorted, { timeType: 'timestamp', valueType: 'numeric(30, 3)', idType: 'text' }),
);
sourceConformance('PostgreSQL, floats, rows that are no events', () =>
  table(damagedUnsorted, { timeType: 'timestamptz', valueType: 'double precision', idType: 'text' }),
);

test('a table that is too large for a scan is sampled, and says so', async () => {
  const { history, dispose, remove } = await table(sorted, {
    timeType: 'timestamptz',
    valueType: 'integer',
    idType: 'bigint',
    more: 'analyze $table',
  });
  await history.close();
  const large = openPostgresSource({
    kind: 'postgres',
    url: server.url('postgres'),
    table: `Events ${made}`,
    columns: { ...fixtureColumns, id: 'Id' },
    sources: { all: null },
    exactRowsMax: 200,
  });
  const [{ rows, range }, { counts, estimated, quarantined }] = [
    await large.describe(),
    await large.count(60_000),
  ];
  expect([rows, estimated, quarantined, range]).toEqual([
    300,
    true,
    null,
    { from: sorted[0]?.at, to: (sorted.at(-1)?.at ?? 0) + 1 },
  ]);
  expect(counts['all']?.reduce((sum, count) => sum + count, 0)).toBe(300);
  await large.close();
  await remove();
  await dispose();
});
