/** As many of a list as a report takes; where there are more, each has its turn with the reports that follow. */
export class InTurn {
  readonly #most: number;
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The order of what is asked for again stays. */
  of<T>(all: readonly T[]): T[] {
    if (all.length <= this.#most) return [...all];
    const first = this.#next % all.length;
    this.#next = first + this.#most;
    return [...all, ...all].slice(first, this.#next);
  }
}
