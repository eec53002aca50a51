/** Takes the control database for this api and keeps it: see holder.ts. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Database } from '../database/database.ts';
import { ApiInUseError, type Holder, isAlive, RENEW_MS } from './holder.ts';
import { type Candidate, giveBack, isWithoutTable, readHolder, renew, take } from './row.ts';

const LOOK_MS = 250;

export interface HeldDatabase {
  /** For a clean end: whoever comes next need not wait. */
  release(): Promise<void>;
}

/**
 * Waits for a holder that may be dead, at most for the rest of its lease. Null: the database has to be migrated first.
 *
 * Errors: {@link ApiInUseError} when the holder lives; the signal's reason; whatever the driver says.
 */
export async function holdDatabase(options: {
  readonly database: Database;
  readonly candidate: Candidate;
  readonly signal: AbortSignal;
  /** Told of a renewal that was not answered; it is tried again. */
  readonly failed: (error: unknown) => void;
  /** Another has taken it: this process must end. */
  readonly lost: (error: ApiInUseError) => void;
}): Promise<HeldDatabase | null> {
  const { database, candidate, signal } = options;
  let first: Holder | null = null;
  for (;;) {
    let term: number | null;
    try {
      term = await take(database, candidate);
    } catch (error) {
      if (isWithoutTable(error)) return null;
      throw error;
    }
    if (term !== null) return keep({ ...options, term });
    const holder = await readHolder(database);
    if (holder !== null && first !== null && isAlive(first, holder)) throw new ApiInUseError(holder);
    first ??= holder;
    await pause(LOOK_MS, undefined, { signal });
  }
}

function keep(options: {
  readonly database: Database;
  readonly term: number;
  readonly failed: (error: unknown) => void;
  readonly lost: (error: ApiInUseError) => void;
}): HeldDatabase {
  const { database, term, failed, lost } = options;
  let renewing: Promise<void> | null = null;
  const renewOnce = async (): Promise<void> => {
    try {
      if (!(await renew(database, term))) lost(new ApiInUseError(await readHolder(database)));
    } catch (error) {
      failed(error);
    } finally {
      renewing = null;
    }
  };
  const timer = setInterval(() => {
    renewing ??= renewOnce();
  }, RENEW_MS);
  return {
    async release() {
      clearInterval(timer);
      await renewing;
      await giveBack(database, term).catch(failed);
    },
  };
}

/**
 * Before anything is started: looks on for a renewal and a bit, where somebody holds the database at all. A database that does not answer is left
 * to the api, which tries again.
 *
 * Errors: {@link ApiInUseError} when the holder is seen to live.
 */
export async function refuseSecondApi(url: string): Promise<void> {
  const { database, pool } = connect(url, 1);
  try {
    const first = await readHolder(database);
    const looks = first === null ? 0 : Math.ceil((RENEW_MS * 1.2) / LOOK_MS);
    for (let look = 0; look < looks; look++) {
      await pause(LOOK_MS);
      const holder = await readHolder(database);
      if (holder === null) return;
      if (first !== null && isAlive(first, holder)) throw new ApiInUseError(holder);
    }
  } catch (error) {
    if (error instanceof ApiInUseError) throw error;
  } finally {
    await pool.end();
  }
}
