/**
 * A pause that is asked for and not yet answered is shown as "Pausing…", on the revision it was asked of: only what the server says of a later one,
 * or that it has gone further by itself, takes its place.
 */
import type { Backfill } from '@spillway/shared/api/backfill';

export function asPausing(backfill: Backfill): Backfill {
  return backfill.state === 'running' ? { ...backfill, state: 'pausing' } : backfill;
}

/** The pause was refused, or did not arrive: what was only asked is taken back. What the server calls pausing can be paused no more, and stays. */
export function notPausing(backfill: Backfill): Backfill {
  return backfill.state === 'pausing' && backfill.allowedActions.includes('pause')
    ? { ...backfill, state: 'running' }
    : backfill;
}
