import type { LinePoint } from './paths.ts';

export const rateHistoryMs = 120_000;
const maxBackfills = 200;

/** The rate of each backfill over the last two minutes: what was recorded before this tab was opened, then what each second told; bounded however long the tab stays open. */
export class RateHistory {
  readonly #points = new Map<string, LinePoint[]>();
  readonly #listeners = new Set<() => void>();
  #fills = 0;

  /** Told when recorded points have come. What a second brings is drawn with its row. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly fills = (): number => this.#fills;

  write(backfillId: string, at: number, eventsPerSecond: number | null): void {
    const before = this.#points.get(backfillId) ?? [];
    const kept = before.filter((point) => point.at > at - rateHistoryMs && point.at < at);
    kept.push({ at, value: eventsPerSecond });
    this.#keep(backfillId, kept);
  }

  /** What was recorded, in order: of a time that this tab has heard of already that is believed. */
  fill(recorded: ReadonlyMap<string, readonly LinePoint[]>): void {
    for (const [backfillId, points] of recorded) {
      const known = this.#points.get(backfillId) ?? [];
      const first = known[0]?.at ?? Number.POSITIVE_INFINITY;
      const before = points.filter(({ at }) => at < first);
      const newest = known.at(-1)?.at ?? before.at(-1)?.at ?? 0;
      this.#keep(
        backfillId,
        [...before, ...known].filter(({ at }) => at > newest - rateHistoryMs),
      );
    }
    this.#fills += 1;
    for (const listener of this.#listeners) listener();
  }

  of(backfillId: string): readonly LinePoint[] {
    return this.#points.get(backfillId) ?? [];
  }

  #keep(backfillId: string, points: LinePoint[]): void {
    // Written last, stands last: the first is the one that has been silent for longest.
    this.#points.delete(backfillId);
    this.#points.set(backfillId, points);
    if (this.#points.size > maxBackfills) this.#points.delete(this.#points.keys().next().value ?? '');
  }
}
