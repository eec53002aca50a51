/**
 * Durations in ms in 400 counters, whatever their number: each counter is 5 % wider than the one below, from 0.05 ms to
 * some hours, so a percentile is within 2.5 % of the truth.
 */
const SMALLEST_MS = 0.05;
const GROWTH = 1.05;
const COUNTERS = 400;

export class Histogram {
  readonly #counts = new Float64Array(COUNTERS);
  #samples = 0;
  #max = 0;

  record(ms: number, times = 1): void {
    const place =
      ms <= SMALLEST_MS
        ? 0
        : Math.min(COUNTERS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(GROWTH)));
    this.#counts[place] = (this.#counts[place] ?? 0) + times;
    this.#samples += times;
    if (ms > this.#max) this.#max = ms;
  }

  get samples(): number {
    return this.#samples;
  }

  /** Null without samples. */
  get max(): number | null {
    return this.#samples === 0 ? null : this.#max;
  }

  /** The value that `share` (0..1) of the samples do not exceed. Null without samples. */
  percentile(share: number): number | null {
    if (this.#samples === 0) return null;
    let remaining = Math.max(1, Math.ceil(this.#samples * share));
    for (let place = 0; place < COUNTERS; place++) {
      remaining -= this.#counts[place] ?? 0;
      if (remaining <= 0)
        return Math.min(this.#max, place === 0 ? SMALLEST_MS : SMALLEST_MS * GROWTH ** (place - 0.5));
    }
    return this.#max;
  }

  /** Adds what another has counted. */
  add(other: Histogram): void {
    for (let place = 0; place < COUNTERS; place++)
      this.#counts[place] = (this.#counts[place] ?? 0) + (other.#counts[place] ?? 0);
    this.#samples += other.#samples;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The counters that are not zero: `[place, samples]`, ascending. A place ends at 0.05 · 1.05^place ms. */
  places(): [number, number][] {
    return [...this.#counts.entries()].filter(([, samples]) => samples > 0);
  }

  reset(): void {
    this.#counts.fill(0);
    this.#samples = 0;
    this.#max = 0;
  }
}
