/**
 * Replay's floor inside the applier: rows it may commit although live entries wait, so that live at the limit does not starve it for
 * ever. Who is not starving claims nothing: an entry of replay has to have waited for a while, and what was committed anyway counts, also
 * ahead of time: the floor is a minimum, not an addition.
 *
 * The floor is a share of capacity, and capacity was measured with ordinary events. Where replayed ones turn out to cost hundreds of
 * times as much, that many rows would be more than the store: so what goes before live is also held to half as much again as its
 * share of the applier's time.
 */
import type { Clock } from '../clock.ts';

export interface FloorSettings {
  /** Rows/s. */
  readonly eventsPerSecond: number;
  /** The same as a part of capacity, 0..1. */
  readonly share: number;
}

/** Unused floor is kept for this long at most. */
const KEPT_MS = 250;
/** What was committed beyond the floor counts for this long at most. */
const AHEAD_MS = 1_000;
/** Beside a live path that leaves replay its turns, an entry waits for a commit or two. */
const STARVING_MS = 100;
const LONGEST_STEP_MS = 250;
/** Worth a commit of its own. */
const ROWS_MIN = 25;
const TIME_ALLOWANCE = 1.5;

export class ReplayFloor {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Below 0: committed ahead of the floor. */
  #rows = 0;
  #mostAhead = 0;
  #timeMs = 0;
  #seenMs: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#seenMs = clock.monotonic();
  }

  /** Rows that are due now, of those that wait; 0 while nothing starves, while they are not worth a commit, or have had their time. */
  due(
    { eventsPerSecond, share }: FloorSettings,
    waiting: { readonly entries: number; readonly oldestMs: number },
  ): number {
    const now = this.#clock.monotonic();
    const stepMs = Math.min(LONGEST_STEP_MS, Math.max(0, now - this.#seenMs));
    this.#seenMs = now;
    this.#mostAhead = (eventsPerSecond * AHEAD_MS) / 1000;
    const most = Math.max(ROWS_MIN, (eventsPerSecond * KEPT_MS) / 1000);
    this.#rows = Math.min(most, this.#rows + (eventsPerSecond * stepMs) / 1000);
    if (eventsPerSecond <= 0 || waiting.entries === 0) {
      this.#rows = Math.min(0, this.#rows);
      return 0;
    }
    this.#timeMs = Math.min(KEPT_MS, this.#timeMs + stepMs * share * TIME_ALLOWANCE);
    const starving = waiting.oldestMs >= STARVING_MS;
    return starving && this.#timeMs >= 0 && this.#rows >= ROWS_MIN ? Math.floor(this.#rows) : 0;
  }

  /** A replay commit; `beforeLiveMs`: how long it kept waiting live entries waiting, 0 when none waited. */
  committed(rows: number, beforeLiveMs: number): void {
    this.#rows = Math.max(-this.#mostAhead, this.#rows - rows);
    this.#timeMs -= beforeLiveMs;
  }
}
