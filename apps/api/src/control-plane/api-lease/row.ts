/** The row of the api that works. Every end is `clock_timestamp()` of the database: a transaction that waited must not count from when it began. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database/database.ts';
import { sqlStateOf } from '../database/sql-state.ts';
import { type Holder, LEASE_MS } from './holder.ts';

const UNDEFINED_TABLE = '42P01';
const lease = sql.raw(`interval '${LEASE_MS} milliseconds'`);

export interface Candidate {
  readonly host: string;
  readonly pid: number;
  readonly url: string;
  /** Processes of this host that have ended; `all`: whoever it was. */
  readonly replaces: readonly number[] | 'all';
}

/** Before the first migration that has the table there is nothing to take. */
export function isWithoutTable(error: unknown): boolean {
  return sqlStateOf(error) === UNDEFINED_TABLE;
}

/** Its term, or null while somebody else holds it. */
export async function take(database: Database, candidate: Candidate): Promise<number | null> {
  const { host, pid, url, replaces } = candidate;
  const ended =
    replaces === 'all'
      ? sql`true`
      : sql`(a.host = ${host} and a.pid in (select value::int from jsonb_array_elements_text(${JSON.stringify(replaces)}::jsonb)))`;
  const { rows } = await database.execute<{ term: string }>(sql`
    insert into api_lease as a (id, term, host, pid, url, since, expires_at)
    values (1, 1, ${host}, ${pid}, ${url}, clock_timestamp(), clock_timestamp() + ${lease})
    on conflict (id) do update set term = a.term + 1, host = excluded.host, pid = excluded.pid, url = excluded.url,
      since = clock_timestamp(), expires_at = clock_timestamp() + ${lease}
      where a.expires_at <= clock_timestamp() or ${ended}
    returning a.term`);
  return rows[0] === undefined ? null : Number(rows[0].term);
}

/** Whether it still is ours. */
export async function renew(database: Database, term: number): Promise<boolean> {
  const { rows } = await database.execute(
    sql`update api_lease set expires_at = clock_timestamp() + ${lease} where id = 1 and term = ${term} returning id`,
  );
  return rows.length === 1;
}

export async function giveBack(database: Database, term: number): Promise<void> {
  await database.execute(
    sql`update api_lease set expires_at = clock_timestamp() where id = 1 and term = ${term}`,
  );
}

/** Who holds it now. Null: nobody, or the database is older than the lease. */
export async function readHolder(database: Database): Promise<Holder | null> {
  try {
    const { rows } = await database.execute<Record<keyof Holder, string>>(sql`
      select term, host, pid, url, extract(epoch from since) * 1000 as since, extract(epoch from expires_at) * 1000 as "expiresAt",
        extract(epoch from clock_timestamp()) * 1000 as now
      from api_lease where expires_at > clock_timestamp()`);
    const [row] = rows;
    if (row === undefined) return null;
    const { term, pid, host, url, since, expiresAt, now } = row;
    return {
      host,
      url,
      term: Number(term),
      pid: Number(pid),
      since: Number(since),
      expiresAt: Number(expiresAt),
      now: Number(now),
    };
  } catch (error) {
    if (isWithoutTable(error)) return null;
    throw error;
  }
}
