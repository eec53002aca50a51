/** The last steps of a quantity: their sum and their worst. */
export class Recent {
  readonly #values: Float64Array;
  #next = 0;
  #seen = 0;

  constructor(steps: number) {
    this.#values = new Float64Array(Math.max(1, Math.round(steps)));
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#seen = Math.min(this.#values.length, this.#seen + 1);
  }

  /** Amounts per step as a rate, per second; of the steps seen so far while there are fewer. */
  perSecond(stepMs: number): number {
    if (this.#seen === 0) return 0;
    let sum = 0;
    for (const value of this.#values) sum += value;
    return (sum * 1000) / (this.#seen * stepMs);
  }

  get worst(): number {
    let worst = 0;
    for (const value of this.#values) if (value > worst) worst = value;
    return worst;
  }
}
