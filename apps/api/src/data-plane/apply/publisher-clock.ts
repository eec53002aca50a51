/**
 * Freshness is the difference of two clocks: the publisher's at publishing, the applier's at the commit. An event that was applied before it
 * was published shows that the publisher's is ahead, by at least so much, and then every event looks fresher than it is. What clocks
 * differ by on machines that keep the time is tolerated, and counts as no time at all; beyond it how old live events are is unknown, until
 * none has come from the future for a while. A publisher whose clock is behind cannot be told from events that are late: live looks
 * staler than it is, and replay is held back for it.
 */
import type { Clock } from '../clock.ts';

/** What the network time protocol keeps machines within, with room; half of a target of 100 ms. */
const CLOCK_TOLERANCE_MS = 50;
/** As long as percentiles of freshness look back. */
const REMEMBERED_MS = 10_000;

export class PublisherClock {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #ahead: { readonly ms: number; readonly seenMs: number } | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** The most seen lately, ms; null while it is within tolerance. */
  get aheadMs(): number | null {
    return this.#ahead !== null && this.#clock.monotonic() - this.#ahead.seenMs < REMEMBERED_MS
      ? this.#ahead.ms
      : null;
  }

  /** Of an event at its commit, ms; null when clocks differ too much to say. Both times are wall clocks, epoch ms. */
  ageOf(publishedAt: number, committedAt: number): number | null {
    const aheadMs = publishedAt - committedAt;
    if (aheadMs <= CLOCK_TOLERANCE_MS) return Math.max(0, -aheadMs);
    this.#ahead = { ms: Math.max(aheadMs, this.aheadMs ?? 0), seenMs: this.#clock.monotonic() };
    return null;
  }
}
