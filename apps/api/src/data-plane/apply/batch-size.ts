/** Bounds of a replay batch, in rows. One of 50 costs three times as much per row as one of 500; beyond 1,000 little is won. */
export const REPLAY_ROWS_MIN = 50;
export const REPLAY_ROWS_MAX = 1_000;
export const REPLAY_ROWS_FIRST = 100;

const GROWTH_MAX = 1.25;
const CUT_MAX = 0.25;
/** A batch that used less than this share of what it might have says nothing about a larger one. */
const USED_MIN = 0.8;

/**
 * Rows of the next replay batch, so that its commit takes about `targetMs`: a live event that arrives meanwhile waits no longer.
 * Grows by a quarter at most and only while the size is really used; shrinks at once, to a quarter at most.
 */
export function nextReplayRows(
  last: { readonly allowedRows: number; readonly rows: number; readonly commitMs: number },
  targetMs: number,
): number {
  const ratio = Math.min(GROWTH_MAX, Math.max(CUT_MAX, targetMs / Math.max(last.commitMs, 0.01)));
  const unused = last.rows < last.allowedRows * USED_MIN;
  if (unused && ratio >= 1) return last.allowedRows;
  const rows = Math.floor(
    ratio >= 1 ? last.allowedRows * ratio : Math.min(last.allowedRows, last.rows * ratio),
  );
  // A slow small batch is the store's latency, not its rows; the floor keeps replay from starving.
  return Math.min(REPLAY_ROWS_MAX, Math.max(REPLAY_ROWS_MIN, rows));
}
