import { type SQL, sql } from 'drizzle-orm';
import { runs } from '../database/schema.ts';

/**
 * What a backfill published in runs that a retry threw away, since their source differed from the store: those subwindows are read again, and what was
 * done of them stays counted. In no other way does the sum of the runs fall behind the backfill's.
 *
 * @param backfill How the statement names its row.
 */
export function eventsAgain(backfill: SQL): SQL<number> {
  return sql<number>`(${backfill}.events_published - (select coalesce(sum(r.published), 0) from ${runs} r where r.backfill_id = ${backfill}.id and r.kind = 'replay'))::float8`;
}
