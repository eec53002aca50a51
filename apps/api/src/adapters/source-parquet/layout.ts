/** What the other threads need to know about an object: plain data, made once for each version of it. */
import { isEventTime } from '../../data-plane/event-limits.ts';
import { SourceError } from '../../data-plane/ports.ts';
import { decodeColumn, type OpenObjectBytes, statisticsOf } from './decode.ts';
import type { RowGroupFooter } from './footer.ts';

export interface RowGroupLayout {
  readonly index: number;
  readonly firstRow: number;
  readonly rows: number;
  /** Event times lie in `[from, to)`, epoch ms. */
  readonly from: number;
  readonly to: number;
}

export interface ObjectLayout {
  readonly rows: number;
  /** `times` null: no row of the group has one that an event may have. */
  readonly groups: readonly (Omit<RowGroupLayout, 'from' | 'to'> & {
    readonly times: { readonly from: number; readonly to: number } | null;
  })[];
}

export async function layoutOf(file: OpenObjectBytes): Promise<ObjectLayout> {
  const groups: ObjectLayout['groups'][number][] = [];
  for (const group of file.footer.groups) {
    const { index, firstRow, rows } = group;
    groups.push({ index, firstRow, rows, times: await timeBounds(file, group) });
  }
  return { rows: file.footer.rows, groups };
}

/** From the statistics; from the column itself where the writer left them out, or where not all of them are times of events. */
async function timeBounds(
  file: OpenObjectBytes,
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
    if (isEventTime(min) && isEventTime(max)) return { from: min, to: max + 1 };
  }
  if (nulls === group.rows) return null;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  const times = await decodeColumn(file, group, 'time');
  for (let row = 0; row < times.length; row++) {
    const time = times[row];
    if (typeof time !== 'number' || !isEventTime(time)) continue;
    from = Math.min(from, time);
    to = Math.max(to, time + 1);
  }
  return from < to ? { from, to } : null;
}
