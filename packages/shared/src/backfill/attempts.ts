/** A run that failed five times fails for good, and the backfill with it. Lost leases and pauses do not count. */
const MAX_FAILURES = 5;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

export type AfterFailure = { readonly type: 'again'; readonly afterMs: number } | { readonly type: 'failed' };

/** `failures` counts the one just reported. */
export function afterFailure(failures: number, retriable: boolean): AfterFailure {
  if (!retriable || failures >= MAX_FAILURES) return { type: 'failed' };
  return { type: 'again', afterMs: Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1)) };
}
