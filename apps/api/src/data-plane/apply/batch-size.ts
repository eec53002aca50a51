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
/** A commit that takes so many times what one takes besides its rows is dear by its rows, not by the store's latency. */
const DEAR = 4;

/**
 * Rows of the next replay batch, so that its commit takes about `targetMs`: a live event that arrives meanwhile waits no longer.
 * Grows by a quarter at most and only while the size is really used; shrinks at once, to a quarter at most. `latencyMs`: what a commit
 * takes besides its rows (commit-latency.ts); null while nobody knows.
 */
export function nextReplayRows(
  last: { readonly allowedRows: number; readonly rows: number; readonly commitMs: number },
  targetMs: number,
  latencyMs: number | null = null,
): number {
  const ratio = Math.min(GROWTH_MAX, Math.max(CUT_MAX, targetMs / Math.max(last.commitMs, 0.01)));
  const unused = last.rows < last.allowedRows * USED_MIN;
  if (unused && ratio >= 1) return last.allowedRows;
  const rows =
    ratio > 1
      ? Math.max(last.allowedRows + 1, Math.floor(last.allowedRows * ratio))
      : Math.floor(Math.min(last.allowedRows, last.rows * ratio));
  return Math.min(REPLAY_ROWS_MAX, Math.max(leastRows(last, targetMs, latencyMs), rows));
}

/** Where a batch of the usual least would be slow by the store's latency alone, smaller ones would only starve replay. */
function leastRows(
  { rows, commitMs }: { readonly rows: number; readonly commitMs: number },
  targetMs: number,
  latencyMs: number | null,
): number {
  if (latencyMs === null || rows === 0) return REPLAY_ROWS_MIN;
  const rowMs = Math.max(0, commitMs - latencyMs) / rows;
  const dear = latencyMs + rowMs * REPLAY_ROWS_MIN > Math.max(targetMs, latencyMs * DEAR);
  return dear ? REPLAY_ROWS_LEAST : REPLAY_ROWS_MIN;
}
