/** Events/s from an absolute counter looked at now and then, over the last `windowMs`. The clock is the caller's. */
export class RateMeter {
  readonly #windowMs: number;
  #samples: { atMs: number; count: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** A counter that fell began anew (its process restarted): what was before is forgotten. */
  observe(count: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && count < last.count) this.#samples = [];
    this.#samples.push({ atMs, count });
    // The newest sample at or before the window's begin stays: the window is measured from it.
    while (this.#samples.length > 2 && (this.#samples[1] as { atMs: number }).atMs <= atMs - this.#windowMs)
      this.#samples.shift();
  }

  /** Null until two samples are known, and when nothing was heard for three windows. */
  eventsPerSecond(nowMs: number): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
    if (nowMs - last.atMs > 3 * this.#windowMs) return null;
    return ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
  }
}
