/** What a loop knows of the counters of backfills: absolute, as the store holds them after each commit. */
import type { AppliedCounters, ApplyOutcome, Publisher, StorePositions } from '../ports.ts';

const BACKFILLS_REMEMBERED = 256;

export class BackfillCounters {
  readonly #store: Pick<StorePositions, 'counters'>;
  /** Of the backfills met since the last claim. */
  readonly #met = new Map<string, AppliedCounters>();

  constructor(store: Pick<StorePositions, 'counters'>) {
    this.#store = store;
  }

  /**
   * Before a commit; null for live. Read once for each backfill: all it publishes lies on one stream, so from then on nobody but this loop
   * changes them, or its fence is old.
   */
  async of(publisher: Publisher): Promise<AppliedCounters | null> {
    if (publisher.kind === 'live') return null;
    const { backfillId } = publisher;
    if (this.#met.size > BACKFILLS_REMEMBERED) this.#met.clear();
    const known = this.#met.get(backfillId) ?? (await this.#store.counters([backfillId]))[0];
    const counters = known ?? { backfillId, applied: 0, duplicate: 0, quarantined: 0 };
    this.#met.set(backfillId, counters);
    return counters;
  }

  committed(before: AppliedCounters, outcome: ApplyOutcome): AppliedCounters {
    const counters = {
      backfillId: before.backfillId,
      applied: before.applied + outcome.inserted,
      duplicate: before.duplicate + outcome.duplicates,
      quarantined: before.quarantined + outcome.quarantined.length,
    };
    this.#met.set(before.backfillId, counters);
    return counters;
  }

  /**
   * What was in flight when something failed, or when the applier before this one was killed, may have been committed without the api being told,
   * and no batch of that backfill may follow: they are read as the store has them now that nobody else can change them any more.
   */
  async recount(unfinished: readonly string[]): Promise<readonly AppliedCounters[]> {
    const met = [...new Set([...this.#met.keys(), ...unfinished])];
    this.#met.clear();
    if (met.length === 0) return [];
    const counted = await this.#store.counters(met);
    for (const counters of counted) this.#met.set(counters.backfillId, counters);
    return counted;
  }
}
