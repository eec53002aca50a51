import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';

/** Rows of these are updated or deleted, some several times a second. PGlite never vacuums by itself; on PostgreSQL this finds little to do. */
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
  'sign_in_codes',
  'idempotency_keys',
  'holds',
  'sources',
  'alerts',
  'probes',
  'meters',
] as const;

/** Receipts are asked for in the minutes after a command; what was commanded stands in the audit for good. */
const receiptsKeptFor = sql.raw("interval '30 days'");
const clearedAlertsKeptFor = sql.raw("interval '30 days'");

/** A table at a time, so that nobody waits long. */
export async function maintain(database: Database): Promise<void> {
  await database.execute(sql`delete from workers where last_tick_at < now() - interval '1 day'`);
  await database.execute(sql`delete from commands where requested_at < now() - ${receiptsKeptFor}`);
  await database.execute(sql`delete from alerts where cleared_at < now() - ${clearedAlertsKeptFor}`);
  for (const table of hotTables) await database.execute(sql.raw(`vacuum (analyze, truncate off) ${table}`));
}
