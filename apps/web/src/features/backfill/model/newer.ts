import type { Backfill } from '@spillway/shared/api/backfill';
import type { BackfillState } from '@spillway/shared/backfill/state-machine';

/**
 * How far a backfill has come since the last command: every command raises its revision, and nothing but a command leads back. `pausing` is beside
 * what may become of a running one by itself, since it is also shown for a pause that is asked and not yet answered (see `pause-asked.ts`).
 */
const rank: Readonly<Record<BackfillState, number>> = {
  queued: 0,
  running: 1,
  pausing: 2,
  verifying: 2,
  cancelling: 2,
  paused: 3,
  completed: 3,
  cancelled: 3,
  failed: 3,
};

/**
 * The later of two sights of one backfill. The page hears of it by events, by answers to several questions, and by what a person has just asked
 * for; each of these may bring what was so before what another has brought, and must not take that back.
 */
export function newer(before: Backfill | undefined, received: Backfill): Backfill {
  if (before === undefined) return received;
  if (before.revision !== received.revision) return before.revision > received.revision ? before : received;
  return rank[before.state] > rank[received.state] ? before : received;
}

/** A list that is read again: each row of it by the later of the two sights. */
export function newerItems(
  before: readonly Backfill[] | undefined,
  received: readonly Backfill[],
): readonly Backfill[] {
  if (before === undefined) return received;
  const known = new Map(before.map((each) => [each.id, each]));
  return received.map((each) => newer(known.get(each.id), each));
}
