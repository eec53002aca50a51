/**
 * Bounds of a replay batch, in rows. One of 50 costs three times as much per row as one of 500; beyond 1,000 little is won. Below 50 it is
 * worth going only when the rows are what takes long: replayed events that cost the store hundreds of times what live's cost.
 */
export const REPLAY_ROWS_MIN = 50;
export const REPLAY_ROWS_LEAST = 2;
export const REPLAY_ROWS_MAX = 1_000;
export const REPLAY_ROWS_FIRST = 100;

const GROWTH_MAX = 1.25;
const CUT_MAX = 0.25;
/** A batch that used less than this share of what it might have says nothing about a larger one. */
const USED_MIN = 0.8;
/** A commit that takes so many times what one of live takes is dear by its rows, not by the store's latency. */
const DEAR = 4;

/**
 * Rows of the next replay batch, so that its commit takes about `targetMs`: a live event that arrives meanwhile waits no longer.
 * Grows by a quarter at most and only while the size is really used; shrinks at once, to a quarter at most. `liveCommitMs`: what live's
 * commits take of late; null while there are none.
 */
export function nextReplayRows(
  last: { readonly allowedRows: number; readonly rows: number; readonly commitMs: number },
  targetMs: number,
  liveCommitMs: number | null = null,
): number {
  const ratio = Math.min(GROWTH_MAX, Math.max(CUT_MAX, targetMs / Math.max(last.commitMs, 0.01)));
  const unused = last.rows < last.allowedRows * USED_MIN;
  if (unused && ratio >= 1) return last.allowedRows;
  const rows =
    ratio > 1
      ? Math.max(last.allowedRows + 1, Math.floor(last.allowedRows * ratio))
      : Math.floor(Math.min(last.allowedRows, last.rows * ratio));
  // A small batch that is slow as live's are, too, shows the store's latency: smaller ones would only starve replay.
  const dear = liveCommitMs !== null && last.commitMs > Math.max(targetMs, liveCommitMs * DEAR);
  const least = dear || last.allowedRows < REPLAY_ROWS_MIN ? REPLAY_ROWS_LEAST : REPLAY_ROWS_MIN;
  return Math.min(REPLAY_ROWS_MAX, Math.max(least, rows));
}
