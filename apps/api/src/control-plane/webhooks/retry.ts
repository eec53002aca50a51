/** How long a message is tried, and how long a webhook rests after a failure: pure, the time and chance come in. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After the first attempt, the second, …; after the last there is none. */
const retryAfterMs: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
];
export const ATTEMPTS_MAX = retryAfterMs.length + 1;
/** However few its attempts were: what waited behind others for a day is no news. */
export const MESSAGE_AGE_MAX_MS = 24 * HOUR_MS;
const JITTER = 0.1;

/**
 * When a message is tried again after `attempts` failures, epoch ms; null: not any more. `chance` in [0, 1) spreads it by ± 10 %, so
 * that what failed together does not come back together.
 */
export function nextAttemptMs(
  message: { readonly attempts: number; readonly createdAtMs: number },
  nowMs: number,
  chance: number,
): number | null {
  const afterMs = retryAfterMs[message.attempts - 1];
  if (afterMs === undefined) return null;
  const atMs = Math.round(nowMs + afterMs * (1 + JITTER * (2 * chance - 1)));
  return atMs - message.createdAtMs > MESSAGE_AGE_MAX_MS ? null : atMs;
}

/** A receiver that does not answer is not asked for each message that waits for it: 1 s, 2 s, 4 s, … to a minute. */
export function restMs(failuresInARow: number): number {
  return failuresInARow === 0 ? 0 : Math.min(MINUTE_MS, SECOND_MS * 2 ** Math.min(failuresInARow - 1, 10));
}
