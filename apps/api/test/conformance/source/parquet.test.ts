import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openParquetSource } from '../../../src/adapters/source-parquet/parquet-source.ts';
import { type Repeat, repeatHistory } from '../../../src/data-plane/history/laps.ts';
import type { HistorySource } from '../../../src/data-plane/ports.ts';
import { fixtureColumns, type ParquetShape, writeParquet } from './parquet-fixture.ts';
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

async function parquet(
  rows: readonly HistoryRow[],
  shape: ParquetShape,
  repeat: Repeat | null = null,
): Promise<HistoryUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'parquet-conformance-'));
  const file = join(folder, 'events.parquet');
  await writeParquet(file, rows, shape);
  const reopen = (): HistorySource => {
    const source = openParquetSource({ file, columns: fixtureColumns, sources: conformanceSources });
    return repeat ? repeatHistory(source, repeat) : source;
  };
  const idOf = (row: number) => `events.parquet#${row}`;
  const once = eventsIn(rows, idOf);
  const refused = quarantinedIn(rows, (row) => `events.parquet row ${row}`);
  const laps = Array.from({ length: repeat?.laps ?? 1 }, (_, lap) => lap);
  const end = repeat ? (repeat.from ?? Number.NaN) + repeat.laps * repeat.spanMs : Number.POSITIVE_INFINITY;
  return {
    history: reopen(),
    expected: laps
      .flatMap((lap) =>
        once.map((event) =>
          lap === 0
            ? event
            : { ...event, id: `${event.id}@${lap}`, at: event.at + lap * (repeat?.spanMs ?? 0) },
        ),
      )
      .filter(({ at }) => at < end),
    quarantined: laps.flatMap((lap) =>
      refused.map((row) => (lap === 0 ? row : { ...row, address: `${row.address} lap ${lap}` })),
    ),
    rows: rows.length,
    reopen,
    change: () =>
      writeParquet(file, [...rows.slice(0, -1), { ...(rows.at(-1) as HistoryRow), value: 77 }], shape),
    remove: () => rm(file),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

const sorted = rowsFrom({ count: 4500, from, seed: 1, sorted: true, damaged: false });
const unsorted = rowsFrom({ count: 4500, from, seed: 2, sorted: false, damaged: false });
const damaged = rowsFrom({ count: 4500, from, seed: 3, sorted: true, damaged: true });
const damagedUnsorted = rowsFrom({ count: 5000, from: -5 * day, seed: 4, sorted: false, damaged: true });

sourceConformance('Parquet, three row groups in order of time', () =>
  parquet(sorted, { valueType: 'BIGINT' }),
);
sourceConformance('Parquet, out of order', () =>
  parquet(unsorted, { valueType: 'INTEGER', codec: 'snappy' }),
);
sourceConformance('Parquet, rows that are no events', () => parquet(damaged, { codec: 'gzip' }));
sourceConformance('Parquet, out of order, rows that are no events, before 1970, pages of version 2', () =>
  parquet(damagedUnsorted, { codec: 'lz4_raw', version: 'v2' }),
);
sourceConformance('Parquet, one row group', () =>
  parquet(sorted.slice(0, 900), {
    rowGroupRows: 200_000,
    codec: 'brotli',
    valueType: 'SMALLINT',
    timeType: 'TIMESTAMP_MS',
  }),
);
sourceConformance('laps longer than the history', () =>
  parquet(sorted.slice(0, 3000), { valueType: 'BIGINT' }, { spanMs: 11 * day, laps: 4, from }),
);
// The history covers ten days: each lap overlaps the one before by a day.
sourceConformance('laps shorter than the history', () =>
  parquet(sorted, {}, { spanMs: 9 * day, laps: 3, from }),
);
sourceConformance('laps of a history out of order', () =>
  parquet(unsorted, {}, { spanMs: 10 * day, laps: 2, from }),
);
sourceConformance('laps with rows that are no events', () =>
  parquet(damaged, {}, { spanMs: 11 * day, laps: 2, from }),
);

test('a century by the minute is counted in coarser steps, not refused', async () => {
  const rows = [0, 1, 36_500].map((days) => ({ at: from + days * day, key: 'k0', value: 1 }));
  const { history, dispose } = await parquet(rows, {});
  const { counts, stepMs, estimated } = await history.count(60_000);
  expect([stepMs % 60_000, estimated]).toEqual([0, false]);
  expect(stepMs).toBeGreaterThan(60_000);
  expect(stepMs).toBeLessThan(day);
  expect(counts['north']?.reduce((sum, count) => sum + count, 0)).toBe(3);
  await history.close();
  await dispose();
});

test('a time that stands for none does not widen the range, though the statistics have it', async () => {
  const rows = [from, from + day, Date.UTC(9999, 11, 31)].map((at) => ({ at, key: 'k0', value: 1 }));
  const { history, dispose } = await parquet(rows, {});
  expect((await history.describe()).range).toEqual({ from, to: from + day + 1 });
  await history.close();
  await dispose();
});
