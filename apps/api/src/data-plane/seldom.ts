import type { Clock } from './clock.ts';

const AGAIN_MS = 60_000;

/** For what is tried every other second and fails as before: said when it changes, and once a minute while it does not. */
export class Seldom {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #said: { readonly what: string; readonly atMs: number } | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Whether it is to be said now; then it counts as said. */
  isDue(what: string): boolean {
    const nowMs = this.#clock.monotonic();
    if (this.#said?.what === what && nowMs - this.#said.atMs < AGAIN_MS) return false;
    this.#said = { what, atMs: nowMs };
    return true;
  }

  /** It has gone well meanwhile. */
  forget(): void {
    this.#said = null;
  }
}
