/** The row groups of all objects with the times they cover, in the order of the history. Made of layouts; no I/O. */
import type { TimeRange } from '../../data-plane/ports.ts';
import type { StoredObject } from '../source-objects/objects.ts';
import { outside, type Partition } from '../source-objects/partitioned.ts';
import type { ObjectLayout, RowGroupLayout } from './layout.ts';

export interface RowGroupPlace extends RowGroupLayout {
  readonly object: StoredObject;
}

/**
 * A group without a single time is met where the rows before it are; before the first that has one, where that one is.
 * Errors: `source_schema` for a group with times outside what its partition's name says.
 */
export function placesOf({ objects, within }: Partition, layouts: readonly ObjectLayout[]): RowGroupPlace[] {
  const all = objects.flatMap((object, position) =>
    (layouts[position]?.groups ?? []).map((group) => ({ object, ...group })),
  );
  let last = within?.from ?? all.find(({ times }) => times !== null)?.times?.from ?? 0;
  return all.map(({ object, times, ...group }) => {
    if (times !== null && within !== null && (times.from < within.from || times.to > within.to)) {
      const at = times.from < within.from ? times.from : times.to - 1;
      throw outside(`${object.name} row group ${group.index}`, at, within);
    }
    const { from, to } = times ?? { from: last, to: last + 1 };
    last = to - 1;
    return { object, ...group, from, to };
  });
}

export function rangeOf(groups: readonly TimeRange[]): TimeRange {
  if (groups.length === 0) return { from: 0, to: 0 };
  return {
    from: groups.reduce((least, { from }) => Math.min(least, from), Number.POSITIVE_INFINITY),
    to: groups.reduce((most, { to }) => Math.max(most, to), Number.NEGATIVE_INFINITY),
  };
}
