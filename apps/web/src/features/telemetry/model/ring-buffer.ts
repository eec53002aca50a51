/**
 * The last hour of every metric, one slot a second, outside React and of fixed size.
 *
 * A sample's slot is its second modulo the capacity, so history and live samples may arrive in any order and twice:
 * a second is written once and never moves. A slot whose second has been overwritten by a later one is gone.
 */
export class RingBuffer {
  readonly capacitySeconds: number;
  readonly #seconds: Float64Array;
  readonly #metrics = new Map<string, Float64Array>();
  #newestSecond = 0;

  constructor(capacitySeconds: number) {
    this.capacitySeconds = capacitySeconds;
    this.#seconds = new Float64Array(capacitySeconds);
  }

  /** Epoch ms of the newest sample, or null before the first. */
  get newestMs(): number | null {
    return this.#newestSecond === 0 ? null : this.#newestSecond * 1_000;
  }

  /** Epoch ms of the oldest sample that is still held, or null. */
  get oldestMs(): number | null {
    let oldest = Number.POSITIVE_INFINITY;
    for (const second of this.#seconds) if (second !== 0 && second < oldest) oldest = second;
    return Number.isFinite(oldest) ? oldest * 1_000 : null;
  }

  /** `null` and missing metrics are unknown (NaN inside). A sample older than the buffer reaches back is ignored. */
  write(atMs: number, values: Readonly<Record<string, number | null>>): void {
    const second = Math.floor(atMs / 1_000);
    if (second <= this.#newestSecond - this.capacitySeconds) return;
    const slot = this.#claim(second);
    for (const [name, value] of Object.entries(values)) this.#column(name)[slot] = value ?? Number.NaN;
  }

  /** NaN where the second or the metric is unknown. */
  read(name: string, second: number): number {
    const slot = second % this.capacitySeconds;
    if (this.#seconds[slot] !== second) return Number.NaN;
    return this.#metrics.get(name)?.[slot] ?? Number.NaN;
  }

  #claim(second: number): number {
    const slot = second % this.capacitySeconds;
    if (this.#seconds[slot] !== second) {
      this.#seconds[slot] = second;
      for (const column of this.#metrics.values()) column[slot] = Number.NaN;
    }
    if (second > this.#newestSecond) this.#newestSecond = second;
    return slot;
  }

  #column(name: string): Float64Array {
    let column = this.#metrics.get(name);
    if (column === undefined) {
      column = new Float64Array(this.capacitySeconds).fill(Number.NaN);
      this.#metrics.set(name, column);
    }
    return column;
  }
}
