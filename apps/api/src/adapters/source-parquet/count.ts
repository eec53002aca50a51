import type { SourceMap } from '../source-rows/source-map.ts';
import { decodeRowGroup, type OpenObjectBytes, valuesMayFail } from './decode.ts';
import type { RowGroupFooter } from './footer.ts';
import type { RowGroupLayout } from './layout.ts';
import { sourcesByCode } from './row-group.ts';

export interface RowGroupCounts {
  /** Number of the first step: `firstStep · stepMs` is its epoch time. */
  readonly firstStep: number;
  readonly steps: number;
  /** `counts[source · steps + step]`. */
  readonly counts: Uint32Array;
  /** By source: rows that are no events. */
  readonly quarantined: Uint32Array;
}

/** Events of one row group by source and step, and the rows that a read would quarantine by source. */
export async function countRowGroup(
  file: OpenObjectBytes,
  group: RowGroupFooter,
  layout: RowGroupLayout,
  sources: SourceMap,
  stepMs: number,
): Promise<RowGroupCounts> {
  const columns = await decodeRowGroup(file, group, layout.from, valuesMayFail(group.chunks.value));
  const firstStep = Math.floor(layout.from / stepMs);
  const steps = Math.floor((layout.to - 1) / stepMs) - firstStep + 1;
  const counts = new Uint32Array(sources.ids.length * steps);
  const quarantined = new Uint32Array(sources.ids.length);
  const sourceByCode = sourcesByCode(columns.keys, sources);
  for (let row = 0; row < columns.rows; row++) {
    const source = sourceByCode[columns.codes[row] as number] as number;
    if (source < 0) continue;
    if (columns.faults?.[row]) {
      quarantined[source] = (quarantined[source] as number) + 1;
      continue;
    }
    const place = source * steps + Math.floor((columns.times[row] as number) / stepMs) - firstStep;
    counts[place] = (counts[place] as number) + 1;
  }
  return { firstStep, steps, counts, quarantined };
}
