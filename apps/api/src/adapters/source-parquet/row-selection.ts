/** Gathers the rows of a range into batches of events. */
import type { PipelineEvent, QuarantinedEvent } from '../../data-plane/event.ts';
import type { HistoryBatch, TimeRange } from '../../data-plane/ports.ts';
import { describeFault, type RowGroupColumns } from './row-group.ts';

/** Rows looked at before the caller may let others run: under a millisecond. */
const rowsAtOnce = 65_536;

export class RowSelection {
  /** Behind the last row looked at, for the batch that ends a read. */
  endsAt = '';
  readonly #columns: { time: string; key: string; value: string };
  readonly #sourceIds: readonly string[];
  readonly #source: number | null;
  readonly #maxEvents: number;
  #events: PipelineEvent[] = [];
  #quarantined: QuarantinedEvent[] = [];

  /** `source`: position in `sourceIds`, or null for all of them. */
  constructor(options: {
    columns: { time: string; key: string; value: string };
    sourceIds: readonly string[];
    source: number | null;
    maxEvents: number;
  }) {
    this.#columns = options.columns;
    this.#sourceIds = options.sourceIds;
    this.#source = options.source;
    this.#maxEvents = options.maxEvents;
  }

  /** Quarantined rows count: a batch is bounded whatever the file holds. */
  get size(): number {
    return this.#events.length + this.#quarantined.length;
  }

  get full(): boolean {
    return this.size >= this.#maxEvents;
  }

  /** Takes what fits of rows `[from, to)` of a row group of the object of this name; returns the row to go on with. */
  take(
    name: string,
    group: RowGroupColumns,
    sourceByCode: Int16Array,
    range: TimeRange,
    from: number,
    to: number,
  ): number {
    const { times, codes, values, keys, faults, firstRow } = group;
    const end = Math.min(to, from + rowsAtOnce);
    let row = from;
    for (; row < end && !this.full; row++) {
      const code = codes[row] as number;
      const source = sourceByCode[code] as number;
      if (this.#source === null ? source < 0 : source !== this.#source) continue;
      const at = times[row] as number;
      if (at < range.from || at >= range.to) continue;
      const sourceId = this.#sourceIds[source] as string;
      const fault = faults?.[row];
      if (fault) {
        this.#quarantined.push({
          sourceId,
          address: `${name} row ${firstRow + row}`,
          ...describeFault(fault, this.#columns),
        });
      } else {
        this.#events.push({
          id: `${name}#${firstRow + row}`,
          sourceId,
          key: keys[code] as string,
          at,
          value: values[row] as number,
        });
      }
    }
    return row;
  }

  /** What was gathered, ended by the cursor; starts the next batch. */
  batch(cursor: string): HistoryBatch {
    const batch = { events: this.#events, quarantined: this.#quarantined, cursor };
    this.#events = [];
    this.#quarantined = [];
    return batch;
  }
}
