/**
 * What arrived on a stream, and when it was seen: looked at every few milliseconds, remembered when something changed. A moment is the one
 * of the look, so everything made of it errs on the late side. Entries are counted; besides events these are markers, one an attempt.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface StreamLook {
  /** When it was over, wall clock, epoch ms: whatever is new was there by then. */
  readonly atMs: number;
  /** When the look before it began: whatever is new came after that. */
  readonly afterMs: number;
  /** Entries ever appended. */
  readonly appended: number;
  /** Entries not yet trimmed. */
  readonly length: number;
  /** Of these, as the stream stores them; null where it cannot say. */
  readonly lengthBytes: number | null;
  /** Entries that the applier has acknowledged, which it does when they are committed. */
  readonly acknowledged: number;
}

export class StreamWatch {
  readonly #everyMs: number;
  readonly #look: () => Promise<Omit<StreamLook, 'atMs' | 'afterMs'>>;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #looks: StreamLook[] = [];
  #lastBeganMs = 0;
  /** Once the first look is done: what comes later than it is counted. */
  readonly begun: Promise<void>;

  constructor(look: () => Promise<Omit<StreamLook, 'atMs' | 'afterMs'>>, everyMs: number) {
    this.#everyMs = everyMs;
    this.#look = look;
    this.begun = this.#note();
    this.#watching = this.#watch();
  }

  /** In order, each different from the one before. */
  get looks(): readonly StreamLook[] {
    return this.#looks;
  }

  /** Entries seen to arrive in `[fromMs, toMs)`. */
  between(fromMs: number, toMs: number): number {
    return this.#appendedBefore(toMs) - this.#appendedBefore(fromMs);
  }

  /** Each arrival after the first look. */
  arrivals(): { readonly afterMs: number; readonly atMs: number; readonly entries: number }[] {
    return this.#looks.flatMap(({ afterMs, atMs, appended }, index) => {
      const entries = appended - (this.#looks[index - 1]?.appended ?? appended);
      return entries > 0 ? [{ afterMs, atMs, entries }] : [];
    });
  }

  /** The last arrival, epoch ms; 0 before the first. */
  lastAtMs(): number {
    return this.arrivals().at(-1)?.atMs ?? 0;
  }

  /**
   * Most entries that surely arrived within one stretch so long: those between two looks that were no further apart. A look that comes
   * late, because this process had to wait for a core, therefore heaps nothing up; two looks in time miss 2 ms of the stretch.
   */
  busiest(stretchMs: number, fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
    const arrivals = this.arrivals().filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    let first = 0;
    let inside = 0;
    let most = 0;
    for (const [last, { atMs, entries }] of arrivals.entries()) {
      inside += entries;
      for (; first <= last && atMs - (arrivals[first]?.afterMs ?? 0) > stretchMs; first++)
        inside -= arrivals[first]?.entries ?? 0;
      most = Math.max(most, inside);
    }
    return most;
  }

  /** The longest it was seen. */
  longest(fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
    return this.#looks.reduce(
      (most, { atMs, length }) => (atMs >= fromMs && atMs < toMs ? Math.max(most, length) : most),
      0,
    );
  }

  /**
   * Bytes × ms on the stream in `[fromMs, untilMs)`, at least and at most: what changed between two looks may have come and gone at either.
   * A look that comes late, because this process had to wait for a core, therefore tells less, and nothing wrong. NaN where bytes are unknown.
   */
  byteMs(fromMs: number, untilMs: number): { readonly least: number; readonly most: number } {
    const within = (beginMs: number, endMs: number) =>
      Math.max(0, Math.min(endMs, untilMs) - Math.max(beginMs, fromMs));
    let least = 0;
    let most = 0;
    for (const [index, seen] of this.#looks.entries()) {
      const bytes = seen.lengthBytes ?? Number.NaN;
      const next = this.#looks[index + 1];
      const lay = bytes * within(seen.atMs, next?.afterMs ?? untilMs);
      least += lay;
      most += lay;
      if (next === undefined) break;
      const changingMs = within(Math.max(next.afterMs, seen.atMs), next.atMs);
      const gone = seen.length + next.appended - seen.appended - next.length;
      const goneBytes = gone * (seen.length > 0 ? bytes / seen.length : 0);
      least += Math.max(0, bytes - goneBytes) * changingMs;
      most += Math.max(bytes, (next.lengthBytes ?? Number.NaN) + goneBytes) * changingMs;
    }
    return { least, most };
  }

  /** Most entries seen to wait to be applied. */
  mostWaiting(fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
    return this.#looks.reduce(
      (most, { atMs, appended, acknowledged }) =>
        atMs >= fromMs && atMs < toMs ? Math.max(most, appended - acknowledged) : most,
      0,
    );
  }

  /** Arrival seen to acknowledgement seen, ms, of every entry that arrived in `[fromMs, toMs)`: freshness without anybody's word for it. */
  waits(fromMs = 0, toMs = Number.POSITIVE_INFINITY): number[] {
    const waits: number[] = [];
    let later = 0;
    for (const [index, { atMs, appended }] of this.#looks.entries()) {
      const entries = appended - (this.#looks[index - 1]?.appended ?? appended);
      if (entries === 0 || atMs < fromMs || atMs >= toMs) continue;
      while ((this.#looks[later]?.acknowledged ?? appended) < appended) later++;
      const finished = this.#looks[later];
      if (finished === undefined) break;
      for (let entry = 0; entry < entries; entry++) waits.push(finished.atMs - atMs);
    }
    return waits;
  }

  /** Bounds what is remembered: all but the last look goes. */
  forget(): void {
    this.#looks = this.#looks.slice(-1);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    await this.begun;
    while (!this.#stop.signal.aborted) {
      await delay(this.#everyMs);
      await this.#note();
    }
  }

  async #note(): Promise<void> {
    const beganMs = Date.now();
    const seen = await this.#look();
    const afterMs = this.#lastBeganMs;
    this.#lastBeganMs = beganMs;
    const last = this.#looks.at(-1);
    if (
      last?.appended === seen.appended &&
      last.length === seen.length &&
      last.acknowledged === seen.acknowledged
    )
      return;
    this.#looks.push({ afterMs, atMs: Date.now(), ...seen });
  }

  /** Entries seen before the moment; of the first look when it is before that. */
  #appendedBefore(ms: number): number {
    let low = 0;
    let high = this.#looks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#looks[middle] as StreamLook).atMs < ms) low = middle + 1;
      else high = middle;
    }
    return (this.#looks[Math.max(0, low - 1)] ?? { appended: 0 }).appended;
  }
}
