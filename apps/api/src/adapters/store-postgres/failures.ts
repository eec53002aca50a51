/**
 * What a failed statement means, and whether it is sent again. The one place where errors of the store's database become
 * {@link StoreError}s. Decides; sends nothing.
 *
 * `undone`: it has changed nothing. `unknown`: it may have been committed, only the answer is lost, or it may be under way still. A batch
 * with an unknown outcome is never sent again from here: whoever applies claims the stream, which fences the late statement, is told the
 * position, and so learns whether the batch is in the store. If it is not, its events are read again and told apart by their ids.
 */
import pg from 'pg';
import { StoreError } from '../../data-plane/ports.ts';

export interface Failure {
  readonly code: StoreError['code'];
  readonly outcome: 'undone' | 'unknown';
  /** The server took back one of several that were in each other's way: the same statement may succeed at once. */
  readonly collided: boolean;
}

/**
 * Whether the connection is of no use any more. After a refusal it is whole, but one that was refused for something that passes is given up: where that passed
 * elsewhere (a fail-over that left it with a server that only reads now) it would never see it.
 */
export function endsConnection(error: unknown, { code, collided }: Failure): boolean {
  return !(error instanceof pg.DatabaseError) || (code === 'store_unavailable' && !collided);
}

const COLLIDED = /^40(001|P01)$/;
/** SQLSTATEs of a statement whose end nobody saw: a lost connection, a server that shuts down or has crashed. */
const UNKNOWN = /^(08|57P0[12]|40003)/;
/** After these the same may well succeed later: resources, operator intervention, a timeout of a lock or a transaction, a server that is no primary. */
const PASSING = /^(53|57|40)|^55P03$|^25006$|^25P0[2-4]$/;

/** `sent`: whether the statement had left when it failed. */
export function failureOf(error: unknown, sent: boolean): Failure {
  const undone = (code: StoreError['code']): Failure => ({ code, outcome: 'undone', collided: false });
  if (!(error instanceof pg.DatabaseError)) {
    if (error instanceof RangeError || error instanceof TypeError) return undone('store_failed');
    return sent
      ? { code: 'store_unavailable', outcome: 'unknown', collided: false }
      : undone('store_unavailable');
  }
  const { code = '' } = error;
  if (code === 'SW001') return undone('fenced');
  if (COLLIDED.test(code)) return { code: 'store_unavailable', outcome: 'undone', collided: true };
  if (UNKNOWN.test(code))
    return { code: 'store_unavailable', outcome: sent ? 'unknown' : 'undone', collided: false };
  return undone(PASSING.test(code) ? 'store_unavailable' : 'store_failed');
}

const COLLISIONS_MAX = 8;
const REPEATS_MAX = 2;
const PAUSE_MAX_MS = 50;

/**
 * Ms until the statement is sent again, or null when its failure is to be told. Pauses are drawn, so that those who collided do not meet again.
 *
 * @param repeatable it changes nothing, so that a lost answer may be asked for again
 * @param chance 0 ≤ chance < 1
 */
export function retryAfterMs(
  failure: Failure,
  tried: { readonly times: number; readonly repeatable: boolean; readonly chance: number },
): number | null {
  if (failure.collided)
    return tried.times < COLLISIONS_MAX ? Math.min(PAUSE_MAX_MS, 2 ** tried.times) * tried.chance : null;
  const lost = failure.outcome === 'unknown' && tried.repeatable;
  return lost && tried.times < REPEATS_MAX ? 0 : null;
}

export function storeErrorOf(error: unknown, { code }: Failure): StoreError {
  const { code: sqlState, message } = error as { code?: string; message?: string };
  return new StoreError(code, message || sqlState || String(error), { cause: error });
}
