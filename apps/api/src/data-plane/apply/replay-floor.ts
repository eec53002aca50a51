/**
 * Replay's floor inside the applier: rows it may commit although live entries wait, so that live at the limit does not starve it for
 * ever. What replay commits anyway counts against it: the floor is a minimum, not an addition.
 */
import type { Clock } from '../clock.ts';

/** Unused floor is kept for this long at most. */
const KEPT_MS = 250;
const LONGEST_STEP_MS = 250;
/** Worth a commit of its own. */
const ROWS_MIN = 25;

export class ReplayFloor {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #rows = 0;
  #seenMs: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#seenMs = clock.monotonic();
  }

  /** Rows that are due now; 0 while they are not worth a commit. */
  due(eventsPerSecond: number): number {
    const now = this.#clock.monotonic();
    const stepMs = Math.min(LONGEST_STEP_MS, Math.max(0, now - this.#seenMs));
    this.#seenMs = now;
    const most = Math.max(ROWS_MIN, (eventsPerSecond * KEPT_MS) / 1000);
    this.#rows = eventsPerSecond <= 0 ? 0 : Math.min(most, this.#rows + (eventsPerSecond * stepMs) / 1000);
    return this.#rows >= ROWS_MIN ? Math.floor(this.#rows) : 0;
  }

  committed(rows: number): void {
    this.#rows = Math.max(0, this.#rows - rows);
  }
}
