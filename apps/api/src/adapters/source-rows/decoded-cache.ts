/**
 * The last few decoded pieces of a history (row groups, blocks of rows). The lanes of a backfill walk the same window nearly together, so a piece is decoded
 * once for all of them: whoever asks while it is being decoded waits for the same promise. Failures are not kept.
 */
export class DecodedCache<T> {
  readonly #load: (index: number) => Promise<T>;
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #entries = new Map<number, Promise<T>>();

  constructor(capacity: number, load: (index: number) => Promise<T>) {
    this.#capacity = capacity;
    this.#load = load;
  }

  get(index: number): Promise<T> {
    const known = this.#entries.get(index);
    if (known) {
      this.#entries.delete(index);
      this.#entries.set(index, known);
      return known;
    }
    const loading = this.#load(index);
    this.#entries.set(index, loading);
    loading.catch(() => {
      if (this.#entries.get(index) === loading) this.#entries.delete(index);
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) break;
      this.#entries.delete(oldest);
    }
    return loading;
  }

  /** Starts decoding what will be wanted soon; the reader that comes for it meets the error, if there is one. */
  prefetch(index: number): void {
    if (this.#capacity > 1 && !this.#entries.has(index)) void this.get(index).catch(() => undefined);
  }
}
