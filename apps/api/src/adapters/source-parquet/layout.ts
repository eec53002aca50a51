/** What the other threads need to know about a file: plain data, made once for each version of it. */
import { SourceError } from '../../data-plane/ports.ts';
import { decodeColumn, type OpenFile, statisticsOf } from './decode.ts';
import type { RowGroupFooter } from './footer.ts';

export interface RowGroupLayout {
  readonly index: number;
  readonly firstRow: number;
  readonly rows: number;
  /** Event times lie in `[from, to)`, epoch ms. */
  readonly from: number;
  readonly to: number;
}

export interface FileLayout {
  readonly version: string;
  readonly fingerprint: string;
  readonly bytes: number;
  readonly rows: number;
  readonly groups: readonly RowGroupLayout[];
}

export async function layoutOf(file: OpenFile): Promise<FileLayout> {
  const known: ({ from: number; to: number } | null)[] = [];
  for (const group of file.footer.groups) known.push(await timeBounds(file, group));
  // A group without a single time is met where the rows before it are.
  let place = known.find((bounds) => bounds !== null)?.from ?? 0;
  const groups = file.footer.groups.map((group, position): RowGroupLayout => {
    const bounds = known[position] ?? { from: place, to: place + 1 };
    place = bounds.to - 1;
    return { index: group.index, firstRow: group.firstRow, rows: group.rows, ...bounds };
  });
  return {
    version: file.bytes.version,
    fingerprint: file.bytes.fingerprint(file.footer.bytes),
    bytes: file.bytes.size,
    rows: file.footer.rows,
    groups,
  };
}

/** From the statistics; from the column itself where the writer left them out. */
async function timeBounds(
  file: OpenFile,
  group: RowGroupFooter,
): Promise<{ from: number; to: number } | null> {
  const { min, max, nulls } = statisticsOf(group.chunks.time);
  if (typeof min === 'number' && typeof max === 'number') {
    if (!(min <= max))
      throw new SourceError(
        'source_corrupt',
        `row group ${group.index}: the statistics of ${file.columns.time} are upside down`,
        `row ${group.firstRow}`,
      );
    return { from: min, to: max + 1 };
  }
  if (nulls === group.rows) return null;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  const times = await decodeColumn(file, group, 'time');
  for (let row = 0; row < times.length; row++) {
    const time = times[row];
    if (typeof time !== 'number') continue;
    from = Math.min(from, time);
    to = Math.max(to, time + 1);
  }
  return from < to ? { from, to } : null;
}
