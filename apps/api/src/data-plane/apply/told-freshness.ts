import type { Clock } from '../clock.ts';

/** An api that has fallen silent says nothing about live any more. */
const STALE_MS = 3_000;

/** What live has seen, as the api tells a process that does not apply live itself. */
export class ToldFreshness {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #told: { readonly msP99: number | null; readonly atMs: number } | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  learn(msP99: number | null): void {
    this.#told = { msP99, atMs: this.#clock.monotonic() };
  }

  recentMsP99(): number | null {
    return this.#told !== null && this.#clock.monotonic() - this.#told.atMs < STALE_MS
      ? this.#told.msP99
      : null;
  }
}
