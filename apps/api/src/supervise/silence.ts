/**
 * When a process that has fallen silent is taken for stuck and ended.
 *
 * A process that cannot interrupt what it does (an embedded database inside a statement) lives on, holds its files and its lock, and
 * serves nobody; that it lives says nothing. So it says every 2 s that its event loop turns (channel.ts), and is ended when it
 * has not for 30 s. What it was doing is lost like in any other crash: nobody had been told that it was done.
 *
 * 30 s, because one long statement is no fault. The longest that Spillway itself sends is a VACUUM, of about a microsecond a row
 * (store-postgres/maintenance.ts): ten million rows of one month take a third of that time.
 *
 * Looks are counted, not time: a supervisor that was itself stopped, or a machine that slept, comes back to one look and not to
 * hundreds, and what was said meanwhile is read before the next.
 */
export interface SilenceLimit {
  readonly lookEveryMs: number;
  /** In a row, without a word. */
  readonly looks: number;
}

export const SILENCE_LIMIT: SilenceLimit = { lookEveryMs: 2_000, looks: 15 };

export class SilenceWatch {
  readonly #limit: SilenceLimit;
  readonly #stuck: () => void;
  #silentLooks = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `stuck` is called once for each silence. */
  constructor(limit: SilenceLimit, stuck: () => void) {
    this.#limit = limit;
    this.#stuck = stuck;
  }

  /** The process has said that it is alive. With the first word the watch begins: not all processes say anything. */
  heard(): void {
    this.#silentLooks = 0;
    this.#timer ??= setInterval(() => this.#look(), this.#limit.lookEveryMs);
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    this.#silentLooks += 1;
    if (this.#silentLooks <= this.#limit.looks) return;
    this.end();
    this.#stuck();
  }
}
