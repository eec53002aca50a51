import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openLineSource } from '../../../src/adapters/source-jsonl/line-source.ts';
import { fixtureColumns } from './parquet-fixture.ts';
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

/** The rows in as many files as there are names, one after the other. */
async function lines(
  rows: readonly HistoryRow[],
  shape: LinesShape,
  names: readonly string[],
): Promise<HistoryUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'lines-conformance-'));
  const rowsAFile = Math.ceil(rows.length / names.length);
  const write = async (all: readonly HistoryRow[]) => {
    for (const [index, name] of names.entries()) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeLines(path, all.slice(index * rowsAFile, (index + 1) * rowsAFile), shape, index * rowsAFile);
    }
  };
  await write(rows);
  const path = names.length === 1 ? join(folder, names[0] as string) : folder;
  const id = shape.named === true ? { id: 'name' } : {};
  const reopen = () =>
    openLineSource(
      {
        kind: shape.kind,
        path,
        columns: { ...fixtureColumns, ...id },
        ...(shape.timeFormat === undefined ? {} : { timeFormat: shape.timeFormat }),
        sources: conformanceSources,
      },
      { folders: [folder] },
    );
  // A record of the CSV files takes two lines, since one of its fields has a newline, and the header one.
  const lineOf = (row: number) => (shape.kind === 'csv' ? 2 + 2 * (row % rowsAFile) : 1 + (row % rowsAFile));
  const nameOf = (row: number) => names[Math.floor(row / rowsAFile)] as string;
  return {
    history: reopen(),
    expected: eventsIn(rows, (row) => (shape.named === true ? `e${row}` : `${nameOf(row)}#${lineOf(row)}`)),
    quarantined: quarantinedIn(rows, (row) => `${nameOf(row)} line ${lineOf(row)}`),
    rows: rows.length,
    reopen,
    change: () => write([...rows.slice(0, -1), { ...(rows.at(-1) as HistoryRow), value: 77 }]),
    remove: () => rm(path, { recursive: true }),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

const sorted = rowsFrom({ count: 4600, from, seed: 1, sorted: true, damaged: false });
const damaged = rowsFrom({ count: 1500, from, seed: 3, sorted: true, damaged: true });
const damagedUnsorted = rowsFrom({ count: 4600, from: -5 * day, seed: 4, sorted: false, damaged: true });

sourceConformance('JSONL, a file in order of time', () => lines(sorted, { kind: 'jsonl' }, ['events.jsonl']));
sourceConformance('JSONL, a folder of files, gzip, out of order, rows that are no events, before 1970', () =>
  lines(damagedUnsorted, { kind: 'jsonl', compression: 'gzip', timeFormat: 'milliseconds' }, [
    'a.jsonl.gz',
    'b/1.jsonl.gz',
    'b/2.jsonl.gz',
  ]),
);
sourceConformance('JSONL, zstd, events with names of their own', () =>
  lines(sorted.slice(0, 1500), { kind: 'jsonl', compression: 'zstd', named: true }, ['e.jsonl.zst']),
);
sourceConformance('CSV, a file, out of order, rows that are no events, before 1970', () =>
  lines(damagedUnsorted, { kind: 'csv' }, ['events.csv']),
);
sourceConformance('CSV, a folder of files, zstd, rows that are no events', () =>
  lines(damaged, { kind: 'csv', compression: 'zstd' }, ['1.csv.zst', '2.csv.zst']),
);
