/**
 * Whose turn it is at the one engine: first come, first served, except that a connection which has left the session
 * in a transaction (or in an unfinished group) keeps the engine until it has ended it. Pure bookkeeping, no I/O.
 */
export interface Turn {
  connection: number;
  group: Buffer;
}

export class Turns {
  #waiting: Turn[] = [];
  #owner: number | null = null;

  arrive(turn: Turn): void {
    this.#waiting.push(turn);
  }

  /** The turn to run now, taken from the queue; null when there is none or the owner has not spoken. */
  next(): Turn | null {
    const at = this.#owner === null ? 0 : this.#waiting.findIndex((turn) => turn.connection === this.#owner);
    return at < 0 ? null : (this.#waiting.splice(at, 1)[0] ?? null);
  }

  /** After a turn: does its connection keep the engine? */
  finish(connection: number, keepsEngine: boolean): void {
    this.#owner = keepsEngine ? connection : null;
  }

  /** Forgets a connection that is gone. True when it held the engine: its transaction must be rolled back. */
  leave(connection: number): boolean {
    this.#waiting = this.#waiting.filter((turn) => turn.connection !== connection);
    if (this.#owner !== connection) return false;
    this.#owner = null;
    return true;
  }

  get owner(): number | null {
    return this.#owner;
  }

  /** Is anyone kept waiting by the owner? */
  get blocksOthers(): boolean {
    return this.#owner !== null && this.#waiting.some((turn) => turn.connection !== this.#owner);
  }

  waitingOf(connection: number): number {
    return this.#waiting.filter((turn) => turn.connection === connection).length;
  }
}
