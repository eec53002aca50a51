/** What a backfill was granted and has done lately, so that what it may have done with it is known before anybody tells. The clock is the caller's. */

/** At a look at the budget. */
interface Look {
  readonly atMs: number;
  /** The rate that has stood since the look before, events/s. */
  readonly eventsPerSecond: number;
  readonly eventsPublished: number;
  /** Known to be applied. */
  readonly eventsHandled: number;
  /** Entries that waited on the stream that it is published to, of whatever backfill; null: unknown. */
  readonly waiting: number | null;
}

interface Delays {
  readonly atMs: number;
  /** Of the last report of events. */
  readonly toldAgeMs: number;
  /** Of what the meter knows of money. */
  readonly meterAgeMs: number;
  /** A rate may be used for so long after it was cut. */
  readonly stopMs: number;
}

/** At worst, events. */
export interface UnknownEvents {
  /** Published since the last report, and until the rate granted now is effective. */
  readonly published: number;
  /** Known to be applied, and not metered yet. */
  readonly unmetered: number;
  /** The rate granted now, events/s. */
  readonly eventsPerSecond: number;
}

/** Longer than any report is counted with. */
const KEPT_MS = 15_000;
/** What is applied is told by then, and how much waited was seen so long before it was told at worst. */
const TOLD_MS = 5_000;

export class RecentGrants {
  #looks: Look[] = [];

  observe(look: Look): void {
    this.#looks.push(look);
    while ((this.#looks[1]?.atMs ?? Number.POSITIVE_INFINITY) < look.atMs - KEPT_MS) this.#looks.shift();
  }

  /** Null: what was granted since the last reports is not remembered so far back. */
  unknown({ atMs, toldAgeMs, meterAgeMs, stopMs }: Delays): UnknownEvents | null {
    const meteredMs = atMs - meterAgeMs;
    const [first] = this.#looks;
    const last = this.#looks.at(-1);
    if (first === undefined || last === undefined) return null;
    if (first.atMs > Math.min(meteredMs, atMs - toldAgeMs - stopMs)) return null;
    const doneThen = this.#looks.findLast((look) => look.atMs <= meteredMs) ?? first;
    return {
      published: this.#usedAtMost(atMs - toldAgeMs, atMs + stopMs, stopMs),
      unmetered: Math.max(0, last.eventsHandled - doneThen.eventsHandled),
      eventsPerSecond: last.eventsPerSecond,
    };
  }

  /**
   * Events that are still to be applied, at most. What is published and not applied, but of that some may have been lost with the end of its stream, or be read
   * again in vain, and is never applied: so no more than waited, once that is settled, and what was published since.
   */
  onStream(): number {
    const last = this.#looks.at(-1);
    if (last === undefined) return 0;
    const notDone = Math.max(0, last.eventsPublished - last.eventsHandled);
    const settled = this.#looks.findLast(({ atMs }) => atMs <= last.atMs - TOLD_MS);
    const before = this.#looks.findLast(({ atMs }) => atMs <= last.atMs - 2 * TOLD_MS);
    if (settled === undefined || settled.waiting === null || before === undefined) return notDone;
    return Math.min(notDone, settled.waiting + last.eventsPublished - before.eventsPublished);
  }

  /** Events in `[fromMs, toMs)`, at each time at the highest of the rates that may be in use; the last one is, until it is known to be another. */
  #usedAtMost(fromMs: number, toMs: number, stopMs: number): number {
    const spans = this.#looks
      .map(({ atMs, eventsPerSecond }, index) => ({
        from: this.#looks[index - 1]?.atMs ?? atMs,
        to: index === this.#looks.length - 1 ? Math.max(toMs, atMs + stopMs) : atMs + stopMs,
        eventsPerSecond,
      }))
      .filter(({ to }) => to > fromMs);
    const times = [fromMs, toMs, ...spans.flatMap(({ from, to }) => [from, to])]
      .filter((ms) => ms >= fromMs && ms <= toMs)
      .sort((a, b) => a - b);
    return times.reduce((events, ms, index) => {
      const lasts = (times[index + 1] ?? ms) - ms;
      const rates = spans.filter(({ from, to }) => from <= ms && ms < to);
      return events + (Math.max(0, ...rates.map((span) => span.eventsPerSecond)) * lasts) / 1_000;
    }, 0);
  }
}
