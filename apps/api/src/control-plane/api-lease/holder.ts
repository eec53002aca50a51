/**
 * One api works on a control database, and a second is told so.
 *
 * The model. One row says who holds the database, under which term, and until when, by the database's clock. The holder moves the end
 * on every {@link RENEW_MS}. Whoever wants it while it has not run out looks on: an end that moves is a holder that lives, and the second
 * leaves with a sentence, within a renewal or two; an end that stands still runs out, and then the second takes the row, under a
 * higher term. So a killed api is not waited for longer than the lease, and whoever starts it again need not know that it was killed.
 * Two cases take over at once: a supervisor that has seen its predecessor end says which process that was, and an embedded database is nobody
 * else's (the lock of the data directory).
 *
 * What it does not do: fence single transactions. A holder that was frozen for longer than the lease and is thawed finds the higher term with
 * its next renewal, at once since that is overdue, and ends. What it commits until then is as right as any other command: the
 * rows are locked, workers' leases have tokens of their own. A database that is away ends nobody: who comes back to find the term unchanged goes on.
 *
 * Why not an advisory lock of a session: an embedded database has one session for everybody, a pooler lends them out, and of a holder that is cut off the
 * server notices nothing for hours.
 */
export const LEASE_MS = 10_000;
export const RENEW_MS = 2_500;

/** As read from the row. */
export interface Holder {
  readonly term: number;
  readonly host: string;
  readonly pid: number;
  readonly url: string;
  /** Epoch ms, the database's clock, as are all three. */
  readonly since: number;
  readonly expiresAt: number;
  readonly now: number;
}

/** Whether it has moved its end, or another took it, since it was first looked at. Pure. */
export function isAlive(first: Holder, now: Holder): boolean {
  return now.term > first.term || (now.term === first.term && now.expiresAt > first.expiresAt);
}

export class ApiInUseError extends Error {
  readonly code = 'api_in_use';

  /** Null: it is gone already, and was another than we. */
  constructor(holder: Holder | null) {
    const who =
      holder === null
        ? ''
        : `: process ${holder.pid} on ${holder.host}, at ${holder.url}, since ${new Date(holder.since).toISOString()}`;
    super(
      `Another api works on this control database${who}. Stop it first, or give this one a database of its own with SPILLWAY_DATABASE_URL (api_in_use).`,
    );
    this.name = 'ApiInUseError';
  }
}
