/**
 * What becomes of a run whose attempt has failed. Lost leases and pauses do not count, and one whose checkpoint has moved since begins its count
 * anew: `failures` is how often in a row it has come to nothing.
 *
 *     wait         1 s, doubled with each failure, at most 30 s
 *     may pass     what cannot be reached, or has no room: tried again until the waits come to ten minutes, which is the 25th failure
 *     the rest     five times, if at all: a poisonous event ends its run in a quarter of a minute, also when an outage came before it
 */
import type { Failure } from '../api/backfill.ts';

const MAY_PASS: ReadonlySet<string> = new Set([
  'source_unavailable',
  'stream_unavailable',
  'stream_full',
  'store_unavailable',
]);
const PATIENCE_MS = 600_000;
const MAX_FAILURES = 5;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

export type AfterFailure = { readonly type: 'again'; readonly afterMs: number } | { readonly type: 'failed' };

/** `failures` counts the one just reported. */
export function afterFailure(
  failures: number,
  { failure: { code }, retriable }: { readonly failure: Pick<Failure, 'code'>; readonly retriable: boolean },
): AfterFailure {
  const isOver = MAY_PASS.has(code) ? waitedMs(failures) >= PATIENCE_MS : failures >= MAX_FAILURES;
  return !retriable || isOver ? { type: 'failed' } : { type: 'again', afterMs: backoffMs(failures) };
}

/** Between the first failure and this one, the attempts themselves left out. */
function waitedMs(failures: number): number {
  return Array.from({ length: failures - 1 }, (_, index) => backoffMs(index + 1)).reduce(
    (sum, ms) => sum + ms,
    0,
  );
}

function backoffMs(failures: number): number {
  return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
}
