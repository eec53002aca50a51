/**
 * Brings the control database to this code's schema.
 *
 * All of it is one transaction that first takes the one row of `spillway_schema`: of twenty that start at once, one applies and the
 * others find it done. No advisory locks: connections of an embedded database share one session. A row that cannot be
 * made because somebody else is making it is tried again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { connect, type Database } from './database.ts';
import { sqlStateOf } from './sql-state.ts';
import { readSteps } from './steps.ts';

const TRIES = 50;
/** Two created it at once (unique_violation in the catalogue, duplicate_table), or were in each other's way. */
const collisions = new Set(['23505', '42P07', '42710', '40P01', '40001']);

class SchemaNewerError extends Error {
  readonly code = 'schema_newer';
  constructor(found: number, known: number) {
    super(
      `The control database has schema ${found}, this version of Spillway knows ${known}: start the newer version.`,
    );
    this.name = 'SchemaNewerError';
  }
}

/** Takes as long as it takes. Errors: {@link SchemaNewerError}; whatever the driver says. */
export async function migrate(target: Database | string): Promise<void> {
  if (typeof target !== 'string') return target.patiently(null, migrateDatabase);
  const { database, pool } = connect(target, 1);
  try {
    await migrate(database);
  } finally {
    await pool.end();
  }
}

async function migrateDatabase(database: NodePgDatabase): Promise<void> {
  const steps = readSteps();
  for (let tries = 1; ; tries++) {
    try {
      return await applyMissing(database, steps);
    } catch (error) {
      if (tries === TRIES || !collisions.has(sqlStateOf(error))) throw error;
      await pause(Math.random() * 100);
    }
  }
}

async function applyMissing(database: NodePgDatabase, steps: readonly string[]): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.execute(
      sql.raw(
        'create table if not exists spillway_schema (id integer primary key check (id = 1), version integer not null)',
      ),
    );
    await tx.execute(
      sql.raw('insert into spillway_schema (id, version) values (1, 0) on conflict do nothing'),
    );
    const { rows } = await tx.execute<{ version: number }>(
      sql.raw('select version from spillway_schema for update'),
    );
    const found = rows[0]?.version ?? 0;
    if (found > steps.length) throw new SchemaNewerError(found, steps.length);
    if (found === steps.length) return;
    for (const step of steps.slice(found)) await tx.execute(sql.raw(step));
    await tx.execute(sql`update spillway_schema set version = ${steps.length}`);
  });
}
