/**
 * How many rows of replay are committed at once, from what the commits so far have taken and what live has seen.
 *
 * Where one loop serves both lanes, live waits for the commit under way, so its length is rationed from the start. Where replay has a loop of its own live
 * waits for it only where both write the same buckets, or share a processor: commits begin at the length that is cheap, and are cut as far as
 * live really suffers.
 */
import type { Clock } from '../clock.ts';
import { nextReplayRows, REPLAY_ROWS_FIRST } from './batch-size.ts';
import { firstBudgetMs, LONGEST_COMMIT_MS, nextBudgetMs } from './commit-budget.ts';
import { CommitLatency } from './commit-latency.ts';

const BUDGET_EVERY_MS = 500;

/** `freshnessMsP99`: what live has seen lately; null when nobody can say. */
export interface LiveSeen {
  readonly freshnessMsP99: number | null;
  readonly freshnessTargetMs: number | null;
}

export class ReplayPace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #beside: boolean;
  readonly #latency = new CommitLatency();
  #budget: { targetMs: number | null; commitMs: number; setMs: number };
  /** Of the next batch, at most. */
  rows = REPLAY_ROWS_FIRST;

  /** `beside`: live is committed by a loop of its own. */
  constructor(
    clock: Pick<Clock, 'monotonic'>,
    { beside, freshnessTargetMs }: { readonly beside: boolean; readonly freshnessTargetMs: number | null },
  ) {
    this.#clock = clock;
    this.#beside = beside;
    this.#budget = this.#begun(freshnessTargetMs);
  }

  liveCommitted(commitMs: number): void {
    this.#latency.live(commitMs);
  }

  replayCommitted(commit: { readonly rows: number; readonly commitMs: number }, seen: () => LiveSeen): void {
    this.#latency.replay(commit);
    const last = { allowedRows: this.rows, ...commit };
    this.rows = nextReplayRows(last, this.#budgetMs(seen()), this.#latency.ms);
  }

  #budgetMs(seen: LiveSeen): number {
    const now = this.#clock.monotonic();
    if (seen.freshnessTargetMs !== this.#budget.targetMs) this.#budget = this.#begun(seen.freshnessTargetMs);
    else if (now - this.#budget.setMs >= BUDGET_EVERY_MS)
      this.#budget = {
        targetMs: seen.freshnessTargetMs,
        commitMs: nextBudgetMs(this.#budget.commitMs, seen),
        setMs: now,
      };
    return this.#budget.commitMs;
  }

  #begun(targetMs: number | null): { targetMs: number | null; commitMs: number; setMs: number } {
    const commitMs = this.#beside ? LONGEST_COMMIT_MS : firstBudgetMs(targetMs);
    return { targetMs, commitMs, setMs: this.#clock.monotonic() };
  }
}
