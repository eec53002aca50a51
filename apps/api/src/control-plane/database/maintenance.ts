import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';

/** Rows of these change several times a second. PGlite never vacuums by itself; on PostgreSQL this finds little to do. */
const hotTables = [
  'runs',
  'backfills',
  'lanes',
  'workers',
  'positions',
  'commands',
  'ledger',
  'pipelines',
  'audit_head',
  'telemetry',
  'tokens',
  'sessions',
] as const;

/** A table at a time, so that nobody waits long. */
export async function maintain(database: Database): Promise<void> {
  await database.execute(sql`delete from workers where last_tick_at < now() - interval '1 day'`);
  for (const table of hotTables) await database.execute(sql.raw(`vacuum (analyze, truncate off) ${table}`));
}
