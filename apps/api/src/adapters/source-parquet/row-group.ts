/** A decoded row group: three columns side by side in typed arrays, which move between threads without a copy. */
import type { QuarantinedEvent } from '../../data-plane/event.ts';
import { NAME_LENGTH_MAX } from '../../data-plane/event-limits.ts';
import type { SourceScan } from '../../data-plane/ports.ts';
import type { SourceMap } from '../source-rows/source-map.ts';

/** Why a row is no event. 0: it is one. */
export const faults = {
  missingTime: 1,
  missingKey: 2,
  missingValue: 3,
  valueOutOfRange: 4,
  unparsableTime: 5,
  timeOutOfRange: 6,
  unusableKey: 7,
} as const;

export interface RowGroupColumns {
  readonly firstRow: number;
  readonly rows: number;
  /** Epoch ms. A row without a usable time has that of the row before it, so that exactly one range meets (and quarantines) it. */
  readonly times: Float64Array;
  readonly values: Int32Array | Float64Array;
  /** Position in `keys`. A row without a key has `keys.length`. */
  readonly codes: Uint16Array | Uint32Array;
  readonly keys: readonly string[];
  /** `times` never falls: a range of it can be found by binary search. */
  readonly sorted: boolean;
  /** One of `faults` by row; null when every row is sound. */
  readonly faults: Uint8Array | null;
  /** What was read of the file for it. */
  readonly scan: SourceScan;
}

export function describeFault(
  fault: number,
  columns: { time: string; key: string; value: string },
): Pick<QuarantinedEvent, 'code' | 'detail'> {
  switch (fault) {
    case faults.missingTime:
      return { code: 'missing_field', detail: `${columns.time} is null` };
    case faults.missingKey:
      return { code: 'missing_field', detail: `${columns.key} is null` };
    case faults.missingValue:
      return { code: 'missing_field', detail: `${columns.value} is null` };
    case faults.unparsableTime:
      return { code: 'unparsable', detail: `${columns.time} is not a date` };
    case faults.timeOutOfRange:
      return { code: 'value_out_of_range', detail: `${columns.time} is not within 1970 to 2199` };
    case faults.unusableKey:
      return {
        code: 'unparsable',
        detail: `${columns.key} has a NUL, or is longer than ${NAME_LENGTH_MAX} characters`,
      };
    default:
      return { code: 'value_out_of_range', detail: `${columns.value} is not a safe integer` };
  }
}

/** Position of the source by key code; -1: none. A row without a key is the first source's, so that one quarantines it and not all or none. */
export function sourcesByCode(keys: readonly string[], { ids, sourceOf }: SourceMap): Int16Array {
  return Int16Array.from([...keys.map((key) => sourceOf(key)), ids.length > 0 ? 0 : -1]);
}

/** The first position in sorted `times` at or after `time`. */
export function lowerBound(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
