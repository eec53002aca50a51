/** The suite against objects, over HTTP: what lies in the bucket was written by DuckDB, as for files. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3History } from '@spillway/shared/api/source';
import { afterAll, beforeAll } from 'vitest';
import { openS3Source } from '../../../src/adapters/source-s3/s3-source.ts';
import { S3_CREDENTIALS, type S3Server, startS3 } from '../../fixtures/s3-server.ts';
import { fixtureColumns, writeParquet } from './parquet-fixture.ts';
import { type LinesShape, writeLines } from './rows-fixture.ts';
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

let server: S3Server;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 's3-conformance-'));
  server = await startS3();
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

let made = 0;

interface Shape {
  readonly lines: LinesShape | null;
  /** Objects in the order of the rows: how many rows each has, and its name. */
  readonly objects: readonly { readonly name: string; readonly rows: number }[];
  readonly partitions?: string;
}

async function objects(rows: readonly HistoryRow[], shape: Shape): Promise<HistoryUnderTest> {
  const bucket = `history-${++made}`;
  await server.createBucket(bucket);
  const parts = shape.objects.map(({ name, rows: count }, position) => {
    const first = shape.objects.slice(0, position).reduce((sum, one) => sum + one.rows, 0);
    return { name, first, rows: rows.slice(first, first + count) };
  });
  const write = async (part: (typeof parts)[number], own: readonly HistoryRow[]) => {
    const path = join(folder, 'part');
    await rm(path, { force: true });
    if (shape.lines === null) await writeParquet(path, own, { codec: 'snappy' });
    else await writeLines(path, own, shape.lines, part.first);
    await server.put(bucket, `events/${part.name}`, await readFile(path));
  };
  for (const part of parts) await write(part, part.rows);
  // Not history: a marker of a job, and an object elsewhere in the bucket.
  await server.put(bucket, 'events/_SUCCESS', '');
  await server.put(bucket, `other/${parts[0]?.name}`, 'not history');
  const history: S3History = {
    kind: 's3',
    bucket,
    prefix: 'events/',
    endpoint: server.endpoint,
    credentials: S3_CREDENTIALS,
    format: shape.lines?.kind ?? 'parquet',
    columns: { ...fixtureColumns, ...(shape.lines?.named === true ? { id: 'name' } : {}) },
    ...(shape.lines?.timeFormat === undefined ? {} : { timeFormat: shape.lines.timeFormat }),
    ...(shape.partitions === undefined ? {} : { partitions: shape.partitions }),
  };
  const reopen = () => openS3Source({ ...history, sources: conformanceSources }, { lookMs: 0 });
  const partOf = (row: number) => parts.findLast(({ first }) => first <= row) as (typeof parts)[number];
  const numberIn = (row: number) => {
    const own = row - partOf(row).first;
    if (shape.lines === null) return own;
    return shape.lines.kind === 'csv' ? 2 + 2 * own : 1 + own;
  };
  const unit = shape.lines === null ? 'row' : 'line';
  const last = parts.at(-1) as (typeof parts)[number];
  return {
    history: reopen(),
    expected: eventsIn(rows, (row) =>
      shape.lines?.named === true ? `e${row}` : `${partOf(row).name}#${numberIn(row)}`,
    ),
    quarantined: quarantinedIn(rows, (row) => `${partOf(row).name} ${unit} ${numberIn(row)}`),
    rows: rows.length,
    reopen,
    change: () =>
      write(last, [...last.rows.slice(0, -1), { ...(last.rows.at(-1) as HistoryRow), value: 77 }]),
    remove: async () => {
      for (const { name } of parts) await server.remove(bucket, `events/${name}`);
    },
    dispose: async () => undefined,
  };
}

const rows = (count: number, seed: number, sorted: boolean, damaged: boolean, begin = from) =>
  rowsFrom({ count, from: begin, seed, sorted, damaged });

/** One object for each day, as a data lake has them. */
function byDay(all: readonly HistoryRow[], ending: string) {
  const days = Map.groupBy(all, ({ at }) => new Date(at as number).toISOString().slice(0, 10));
  return [...days].map(([name, own]) => {
    const [year, month, date] = name.split('-');
    return { name: `year=${year}/month=${Number(month)}/day=${date}/part-0.${ending}`, rows: own.length };
  });
}

const template = 'year={YYYY}/month={MM}/day={DD}';
const inDays = rows(1500, 1, true, false);

sourceConformance('S3, Parquet in partitions by the day', () =>
  objects(inDays, { lines: null, objects: byDay(inDays, 'parquet'), partitions: template }),
);
sourceConformance('S3, Parquet, three objects, out of order, rows that are no events, before 1970', () =>
  objects(rows(3000, 4, false, true, -5 * day), {
    lines: null,
    objects: [
      { name: 'a.parquet', rows: 1000 },
      { name: 'b/a.parquet', rows: 500 },
      { name: 'b/b.parquet', rows: 1500 },
    ],
  }),
);
sourceConformance('S3, JSONL, gzip, in partitions by the day, with names of their own', () =>
  objects(inDays, {
    lines: { kind: 'jsonl', compression: 'gzip', named: true },
    objects: byDay(inDays, 'jsonl.gz'),
    partitions: template,
  }),
);
sourceConformance('S3, JSONL, two objects, out of order, rows that are no events, before 1970', () =>
  objects(rows(1500, 4, false, true, -5 * day), {
    lines: { kind: 'jsonl', timeFormat: 'milliseconds' },
    objects: [
      { name: 'a b+c.jsonl', rows: 700 },
      { name: 'ü/1.jsonl', rows: 800 },
    ],
  }),
);
sourceConformance('S3, CSV, zstd, one object, rows that are no events', () =>
  objects(rows(1500, 3, true, true), {
    lines: { kind: 'csv', compression: 'zstd' },
    objects: [{ name: 'events.csv.zst', rows: 1500 }],
  }),
);
