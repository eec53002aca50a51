/** Entries of a stream in the order they came, as amounts: one cohort for each step of the clock. */
export interface Taken {
  readonly live: number;
  readonly replay: number;
  /** Arrival of the oldest live event taken, ms; null when there was none. */
  readonly oldestLiveMs: number | null;
}

interface Cohort {
  readonly arrivedMs: number;
  live: number;
  replay: number;
}

/** Less than this is the rounding of doubles. */
const NOTHING = 1e-9;
const nothing: Taken = { live: 0, replay: 0, oldestLiveMs: null };

export class EventQueue {
  #cohorts: Cohort[] = [];
  #head = 0;
  live = 0;
  replay = 0;

  get length(): number {
    return this.live + this.replay;
  }

  /** Arrival of the oldest entry, ms; null when none waits. */
  get oldestMs(): number | null {
    return this.#cohorts[this.#head]?.arrivedMs ?? null;
  }

  get oldestLiveMs(): number | null {
    if (this.live <= 0) return null;
    for (let at = this.#head; at < this.#cohorts.length; at++) {
      const cohort = this.#cohorts[at] as Cohort;
      if (cohort.live > 0) return cohort.arrivedMs;
    }
    return null;
  }

  push(arrivedMs: number, live: number, replay: number): void {
    if (live <= 0 && replay <= 0) return;
    this.#cohorts.push({ arrivedMs, live, replay });
    this.live += live;
    this.replay += replay;
  }

  /** From the front, of one publisher: an applier's batch ends where the other's entries begin, or at the limit. */
  take(liveMax: number, replayMax: number): Taken {
    const first = this.#cohorts[this.#head];
    if (first === undefined) return nothing;
    return first.live > NOTHING
      ? { live: this.#takeLive(liveMax), replay: 0, oldestLiveMs: first.arrivedMs }
      : { live: 0, replay: this.#takeReplay(replayMax), oldestLiveMs: null };
  }

  #takeLive(most: number): number {
    let room = Math.max(0, most);
    for (let at = this.#cohorts[this.#head]; at !== undefined; at = this.#cohorts[this.#head]) {
      const part = Math.min(room, at.live);
      at.live -= part;
      room -= part;
      if (at.live > NOTHING || at.replay > NOTHING) break;
      this.#head += 1;
    }
    const taken = Math.max(0, most) - room;
    this.#settle(taken, 0);
    return taken;
  }

  #takeReplay(most: number): number {
    let room = Math.max(0, most);
    for (let at = this.#cohorts[this.#head]; at !== undefined; at = this.#cohorts[this.#head]) {
      // Of a cohort live comes first.
      if (at.live > NOTHING) break;
      const part = Math.min(room, at.replay);
      at.replay -= part;
      room -= part;
      if (at.replay > NOTHING) break;
      this.#head += 1;
    }
    const taken = Math.max(0, most) - room;
    this.#settle(0, taken);
    return taken;
  }

  #settle(live: number, replay: number): void {
    const empty = this.#head === this.#cohorts.length;
    this.live = empty ? 0 : Math.max(0, this.live - live);
    this.replay = empty ? 0 : Math.max(0, this.replay - replay);
    if (empty || this.#head > 1_000) {
      this.#cohorts = empty ? [] : this.#cohorts.slice(this.#head);
      this.#head = 0;
    }
  }
}
