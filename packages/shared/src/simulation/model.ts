/**
 * The fluid model: a pipeline as a few numbers, on a virtual clock, without I/O. It tests the governor (governed-run.ts) and
 * answers what a rate would do (fixed-rate.ts); both drive the same `ModelPipeline`.
 *
 *     live feed ─────────────► live stream ───┐
 *                                             ├─► applier ─► store          separate
 *     history ─► reader ─► replay stream ─────┘
 *                                                                           shared: one stream for both, first in first out
 *
 * Every step of a few milliseconds, with rates as amounts per step and therefore fractions of events:
 *
 *     reader     published  = min(granted rate, what history yields) · step, while the gate is open
 *     gate       closes at the high-water mark, opens at 80 % of it; shared: closes also while the oldest waiting entry is older
 *                than a quarter of live's target
 *     applier    one commit at a time, of one publisher: live first, replay otherwise; replay goes first for the rows of its floor;
 *                shared: in the order they came, and a commit ends where the other's entries begin
 *     trimming   what is applied stays on its stream for up to a tenth of the mark, 1,000 entries or 250 ms (governor/trimming.ts)
 *     commit ms  = overhead + (live rows + replay rows · amplification) · 1000 / store rows per second
 *     rows       replay rows of the next commit ← rows · budget / last commit, within ×0.25 … ×1.25, as the applier sizes them
 *     freshness  = end of the commit − arrival, so a live event waits for the commit under way: longer replay commits, staler live
 *
 * A commit cannot be interrupted, and a store that stalls lets it wait. What is left out: partitions, decoding, the network, the
 * noise of a real machine. Live that arrives within one step counts as arriving at its beginning, so freshness errs upwards.
 */
export interface PipelineModel {
  /** Rows of live work the store takes, were commits free, rows/s. */
  readonly storeRowsPerSecond: number;
  /** What a commit costs besides its rows, ms. */
  readonly commitOverheadMs: number;
  /** How long the applier lets a replay commit take, ms, and the rows it stays within. */
  readonly replayCommit: { readonly budgetMs: number; readonly rowsMin: number; readonly rowsMax: number };
  readonly route: 'separate' | 'shared';
  /** Entries. */
  readonly highWaterMark: number;
  /** Shared streams: the reader waits while the oldest entry is older, ms; null: it does not look. */
  readonly oldestEntryMs: number | null;
  /** Replay rows/s that the applier serves before waiting live ones. Separate streams only. */
  readonly floorEventsPerSecond: number;
  /** What reading and decoding history yields at most, events/s. */
  readonly historyEventsPerSecond: number;
  /**
   * The applier's longest in a run, ms. A fluid has no hiccups, and every real run has some: a checkpoint, a collection of garbage, a machine
   * that does something else. What arrives meanwhile is on the stream at once.
   */
  readonly longestPauseMs: number;
  /** The store is not ours: no proof follows. Absent: one does. */
  readonly unproved?: boolean;
}

/** What is done to the pipeline from outside, now. */
export interface Conditions {
  readonly liveEventsPerSecond: number;
  /** Store work of a replayed event ÷ that of a live event. */
  readonly replayAmplification: number;
  /** False: the store stalls, no commit ends. */
  readonly storeAnswers: boolean;
}

/** What the workers would report, rates over the last second. */
export interface Measured {
  readonly liveEventsPerSecond: number;
  readonly publishedEventsPerSecond: number;
  readonly appliedEventsPerSecond: number;
  /** Entries on the stream that replay uses: waiting, in the commit under way, applied and not yet trimmed. */
  readonly streamLength: number;
  /** Age of the oldest live event not yet applied, ms. */
  readonly liveLagMs: number;
  /** Worst of the last two seconds, and never less than the lag, ms. */
  readonly freshnessMs: number;
  readonly storeSilentMs: number;
}

export const LIVE_ROWS_MAX = 1_000;

/** Entries that arrive at a rate, events/s, while the applier has its longest pause. */
export function pausedAt({ longestPauseMs }: PipelineModel, eventsPerSecond: number): number {
  return (eventsPerSecond * longestPauseMs) / 1000;
}

/** How long a commit of so much takes, ms. */
export function commitMsOf(
  model: Pick<PipelineModel, 'storeRowsPerSecond' | 'commitOverheadMs'>,
  rows: { readonly live: number; readonly replay: number },
  amplification: number,
): number {
  return (
    model.commitOverheadMs + ((rows.live + rows.replay * amplification) * 1000) / model.storeRowsPerSecond
  );
}

/** What the applier reaches at the replay commits it makes, with nothing else to do, events/s. */
export function capacityOf(model: PipelineModel, amplification = 1): number {
  const { budgetMs, rowsMin, rowsMax } = model.replayCommit;
  const rowMs = (amplification * 1000) / model.storeRowsPerSecond;
  const rows = Math.min(rowsMax, Math.max(rowsMin, (budgetMs - model.commitOverheadMs) / rowMs));
  return (rows * 1000) / commitMsOf(model, { live: 0, replay: rows }, amplification);
}
