import type { Clock } from '../clock.ts';

/**
 * A vacuum is asked for when a quiet moment comes after some rows, or after many rows without one. Live waits while it works, and the more rows,
 * the longer: often and briefly.
 */
const ROWS_WHEN_IDLE = 10_000;
const ROWS_AT_MOST = 15_000;
/** Also a store that is only touched by a trickle is looked at, in the end: transaction ids are used up by batches, not rows. */
const IDLE_LOOK_MS = 600_000;

export class VacuumSchedule {
  readonly #clock: Clock;
  #rows = 0;
  #doneAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#doneAt = clock.monotonic();
  }

  applied(rows: number): void {
    this.#rows += rows;
  }

  isDue(idle: boolean): boolean {
    if (this.#rows >= ROWS_AT_MOST) return true;
    return (
      idle &&
      this.#rows > 0 &&
      (this.#rows >= ROWS_WHEN_IDLE || this.#clock.monotonic() - this.#doneAt >= IDLE_LOOK_MS)
    );
  }

  done(): void {
    this.#rows = 0;
    this.#doneAt = this.#clock.monotonic();
  }
}
