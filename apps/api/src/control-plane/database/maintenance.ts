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
  'ledger_marks',
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
  'quotes',
  'webhooks',
  'webhook_messages',
  'api_lease',
] as const;

/** Receipts are asked for in the minutes after a command; what was commanded stands in the audit for good. */
const receiptsKeptFor = sql.raw("interval '30 days'");
const clearedAlertsKeptFor = sql.raw("interval '30 days'");
/** So that who comes late is told that it has expired, and not that there never was one. */
const expiredQuotesKeptFor = sql.raw("interval '1 day'");
/** However many are asked for in a day: the oldest go first. */
const QUOTES_MAX = 10_000;

/** Far more than any of these takes, and yet the governor does not wait for ever for a database that is gone. */
const STATEMENT_LIMIT_MS = 15 * 60_000;

/** A table at a time, so that nobody waits long. */
export function maintain(database: Database): Promise<void> {
  return database.patiently(STATEMENT_LIMIT_MS, async (patient) => {
    await patient.execute(sql`delete from workers where last_tick_at < now() - interval '1 day'`);
    await patient.execute(sql`delete from commands where requested_at < now() - ${receiptsKeptFor}`);
    await patient.execute(sql`delete from alerts where cleared_at < now() - ${clearedAlertsKeptFor}`);
    await patient.execute(sql`
      delete from quotes where expires_at < now() - ${expiredQuotesKeptFor}
        or id in (select id from quotes order by created_at desc, id offset ${QUOTES_MAX})`);
    for (const table of hotTables) await patient.execute(sql.raw(`vacuum (analyze, truncate off) ${table}`));
  });
}
