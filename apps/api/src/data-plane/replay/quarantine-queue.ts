import type { QuarantineReport } from '@spillway/shared/api/worker-protocol';

const LONGEST = 10_000;
const MOST_A_TICK = 100;

/**
 * Rows that could not be read, on their way to the control plane. At most 10,000: the rows of a file that is garbage
 * throughout are all counted, but not all listed.
 */
export class QuarantineQueue {
  #rows: readonly QuarantineReport[] = [];
  #dropped = 0;

  add(rows: readonly QuarantineReport[]): void {
    const kept = rows.slice(0, LONGEST - this.#rows.length);
    this.#rows = [...this.#rows, ...kept];
    this.#dropped += rows.length - kept.length;
  }

  /** What goes into the next tick. */
  next(): readonly QuarantineReport[] {
    return this.#rows.slice(0, MOST_A_TICK);
  }

  delivered(rows: readonly QuarantineReport[]): void {
    const gone = new Set(rows);
    if (gone.size > 0) this.#rows = this.#rows.filter((row) => !gone.has(row));
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Since the worker began. */
  get dropped(): number {
    return this.#dropped;
  }
}
