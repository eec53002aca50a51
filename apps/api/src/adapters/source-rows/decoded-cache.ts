/**
 * The last few decoded pieces of a history (row groups, blocks of rows). The lanes of a backfill walk the same window nearly together, so a piece is decoded
 * once for all of them: whoever asks while it is being decoded waits for the same promise. Failures are not kept.
 */
export class DecodedCache<K, T> {
  readonly #load: (key: K) => Promise<T>;
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #entries = new Map<K, Promise<T>>();

  constructor(capacity: number, load: (key: K) => Promise<T>) {
    this.#capacity = capacity;
    this.#load = load;
  }

  get(key: K): Promise<T> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const loading = this.#load(key);
    this.#keep(key, loading);
    loading.catch(() => {
      if (this.#entries.get(key) === loading) this.#entries.delete(key);
    });
    return loading;
  }

  /** What came by without being asked for. */
  put(key: K, value: T): void {
    this.#entries.delete(key);
    this.#keep(key, Promise.resolve(value));
  }

  /** Starts decoding what will be wanted soon; the reader that comes for it meets the error, if there is one. */
  prefetch(key: K): void {
    if (this.#capacity > 1 && !this.#entries.has(key)) void this.get(key).catch(() => undefined);
  }

  #keep(key: K, loading: Promise<T>): void {
    this.#entries.set(key, loading);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) break;
      this.#entries.delete(oldest);
    }
  }
}
