import type { LinePoint } from './paths.ts';

export const rateHistoryMs = 120_000;
const maxBackfills = 200;

/** The applied rate of each backfill over the last two minutes, as its events told it; bounded however long the tab stays open. */
export class RateHistory {
  readonly #points = new Map<string, LinePoint[]>();

  write(backfillId: string, at: number, eventsPerSecond: number | null): void {
    const before = this.#points.get(backfillId) ?? [];
    const kept = before.filter((point) => point.at > at - rateHistoryMs && point.at < at);
    kept.push({ at, value: eventsPerSecond });
    // Written last, stands last: the first is the one that has been silent for longest.
    this.#points.delete(backfillId);
    this.#points.set(backfillId, kept);
    if (this.#points.size > maxBackfills) this.#points.delete(this.#points.keys().next().value ?? '');
  }

  of(backfillId: string): readonly LinePoint[] {
    return this.#points.get(backfillId) ?? [];
  }
}
