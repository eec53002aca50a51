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

  /** From the front, live and replay of a cohort in the proportion they came, until either limit is reached. */
  take(liveMax: number, replayMax: number): Taken {
    let live = 0;
    let replay = 0;
    let oldestLiveMs: number | null = null;
    for (;;) {
      const cohort = this.#cohorts[this.#head];
      if (cohort === undefined) break;
      const part = Math.min(
        1,
        partOf(liveMax - live, cohort.live),
        partOf(replayMax - replay, cohort.replay),
      );
      if (cohort.live > 0 && part > 0) oldestLiveMs ??= cohort.arrivedMs;
      const taken = { live: cohort.live * part, replay: cohort.replay * part };
      live += taken.live;
      replay += taken.replay;
      cohort.live -= taken.live;
      cohort.replay -= taken.replay;
      if (cohort.live + cohort.replay > NOTHING) break;
      this.#head += 1;
    }
    this.#settle(live, replay);
    return { live, replay, oldestLiveMs };
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

function partOf(room: number, amount: number): number {
  return amount <= 0 ? 1 : Math.max(0, room) / amount;
}
