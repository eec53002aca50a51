/**
 * Whom a process follows: each that has ended in its place lately, not the last alone. One that dies before it has joined has taken
 * nothing over, so what its own predecessor held is the next one's as well. Deciding only: the times are passed in.
 */
import { leaseMs } from '@spillway/shared/api/worker-protocol';

export interface Ended {
  readonly pid: number;
  /** Monotonic, ms. */
  readonly atMs: number;
}

/** By then a lease has run out by itself, and has been looked for. */
const FOLLOWED_MS = 3 * leaseMs;
/** Deaths are half a second apart and more once there are several in a row: more than this do not fit into that time. */
const FOLLOWED_MAX = 16;

/** Those of them, the oldest first, that a process that begins now is to name. */
export function predecessors(ended: readonly Ended[], nowMs: number): Ended[] {
  return ended.filter(({ atMs }) => nowMs - atMs < FOLLOWED_MS).slice(-FOLLOWED_MAX);
}
