import { decodeRowGroup, type OpenObjectBytes, valuesMayFail } from './decode.ts';
import type { RowGroupFooter } from './footer.ts';
import type { RowGroupLayout } from './layout.ts';

export interface RowGroupCounts {
  /** Number of the first step: `firstStep · stepMs` is its epoch time. */
  readonly firstStep: number;
  readonly steps: number;
  /** `counts[source · steps + step]`. */
  readonly counts: Uint32Array;
}

/** Events of one row group by source and step. Rows that a read would quarantine are not counted. */
export async function countRowGroup(
  file: OpenObjectBytes,
  group: RowGroupFooter,
  layout: RowGroupLayout,
  sources: { readonly size: number; readonly sourceOf: (key: string) => number },
  stepMs: number,
): Promise<RowGroupCounts> {
  const columns = await decodeRowGroup(file, group, layout.from, valuesMayFail(group.chunks.value));
  const firstStep = Math.floor(layout.from / stepMs);
  const steps = Math.floor((layout.to - 1) / stepMs) - firstStep + 1;
  const counts = new Uint32Array(sources.size * steps);
  const offsetByCode = columns.keys.map((key) => sources.sourceOf(key) * steps);
  for (let row = 0; row < columns.rows; row++) {
    if (columns.faults?.[row]) continue;
    const offset = offsetByCode[columns.codes[row] as number] as number;
    // Of no source.
    if (offset < 0) continue;
    const place = offset + Math.floor((columns.times[row] as number) / stepMs) - firstStep;
    counts[place] = (counts[place] as number) + 1;
  }
  return { firstStep, steps, counts };
}
