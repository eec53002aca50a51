/**
 * Events/s of many counters that are told together, over one window for all of them: the rates add up to the rate of the sum. The clock is the caller's.
 */
export class RateBook {
  readonly #windowMs: number;
  /** What each has gained since the telling before; in the first one of the window that is not counted. */
  #tellings: { readonly atMs: number; readonly gained: ReadonlyMap<string, number> }[] = [];
  #counts: ReadonlyMap<string, number> = new Map();
  #rates: ReadonlyMap<string, number> | null = null;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Absolute. One that was not told in the window before, or fell, begins anew: what it has already is no gain. */
  observe(counts: ReadonlyMap<string, number>, atMs: number): void {
    const gained = new Map<string, number>();
    for (const [name, count] of counts)
      gained.set(name, Math.max(0, count - (this.#counts.get(name) ?? count)));
    this.#rates = null;
    this.#tellings.push({ atMs, gained });
    // The newest at or before the window's begin stays: the window is measured from it.
    while (this.#tellings.length > 2 && (this.#tellings[1] as { atMs: number }).atMs <= atMs - this.#windowMs)
      this.#tellings.shift();
    const lately = new Set(this.#tellings.flatMap((telling) => [...telling.gained.keys()]));
    this.#counts = new Map([...[...this.#counts].filter(([name]) => lately.has(name)), ...counts]);
  }

  /** Of those that were told in the window. Null before the second telling, and when nothing was heard for three windows. */
  eventsPerSecond(nowMs: number): ReadonlyMap<string, number> | null {
    const [first, ...since] = this.#tellings;
    const last = since.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
    if (nowMs - last.atMs > 3 * this.#windowMs) return null;
    if (this.#rates !== null) return this.#rates;
    const rates = new Map<string, number>();
    for (const { gained } of since)
      for (const [name, events] of gained)
        rates.set(name, (rates.get(name) ?? 0) + (events * 1_000) / (last.atMs - first.atMs));
    this.#rates = rates;
    return rates;
  }
}
