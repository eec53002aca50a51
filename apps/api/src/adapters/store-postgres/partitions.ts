/** Which monthly partitions are known to exist. */
import type { PipelineEvent } from '../../data-plane/event.ts';
import { EVENT_TIMES } from '../../data-plane/event-limits.ts';
import type { TimeRange } from '../../data-plane/ports.ts';

export class KnownPartitions {
  /** First ms of each month made or seen. */
  readonly #months = new Set<number>();

  /** The months of `events` (all storable) that are not known, each as a range. */
  missing(events: readonly PipelineEvent[]): TimeRange[] {
    const missing = new Map<number, TimeRange>();
    let current: TimeRange = { from: 0, to: 0 };
    for (const { at } of events) {
      if (at >= current.from && at < current.to) continue;
      current = monthOf(at);
      if (!this.#months.has(current.from)) missing.set(current.from, current);
    }
    return [...missing.values()];
  }

  learn(months: readonly TimeRange[]): void {
    for (const month of months) this.#months.add(month.from);
  }

  /** After a failure: somebody may have dropped one. */
  forget(): void {
    this.#months.clear();
  }
}

/** The part of `range` that can have partitions. */
export function partitionable(range: TimeRange): TimeRange {
  return { from: Math.max(EVENT_TIMES.from, range.from), to: Math.min(EVENT_TIMES.to, range.to) };
}

function monthOf(at: number): TimeRange {
  const day = new Date(at);
  return {
    from: Date.UTC(day.getUTCFullYear(), day.getUTCMonth()),
    to: Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1),
  };
}
