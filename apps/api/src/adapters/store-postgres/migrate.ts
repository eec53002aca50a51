/**
 * The store's schema, from the files of `drizzle/store` in the order of their numbers.
 *
 * However many processes start at once, each file runs once: everything happens in one transaction behind a lock of that
 * transaction. (Session locks would mean nothing on an embedded database, whose connections are one session; there it is the
 * open transaction itself that keeps the others waiting.) A file never changes once it has run: its digest is kept.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../data-plane/ports.ts';
import type { Connections } from './connections.ts';
import { text } from './literal.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

const FOLDER = join(import.meta.dirname, '../../../../../drizzle/store');
/** Any constant will do, as long as nobody else uses it. */
const LOCK_KEY = 7_203_514_998;

export function storeMigrations(folder = FOLDER): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const sql = readFileSync(join(folder, file), 'utf8');
      return {
        number: Number(file.slice(0, 4)),
        name: file,
        sql,
        sha256: createHash('sha256').update(sql).digest('hex'),
      };
    });
}

/** What a database that is migrated has: what a look at one is held against. */
export function migratedStore(migrations = storeMigrations()) {
  return {
    schema: 'spillway',
    ledger: 'migrations',
    version: migrations.at(-1)?.number ?? 0,
    tables: migrations.flatMap(({ number, sql }) =>
      [...sql.matchAll(/^create table spillway\.(\w+)/gm)].map(([, name]) => ({
        name: name as string,
        since: number,
      })),
    ),
  };
}

/** The migrations' own text, in another schema. */
export function inSchema(sql: string, schema: string): string {
  return sql.replace(/\bspillway\b/g, schema);
}

/** Errors: {@link StoreError} `schema_newer`; `store_failed` when a file that has run here has been changed since. */
export async function migrate(connections: Connections, migrations: readonly Migration[]): Promise<void> {
  await connections.transaction(async ({ run }) => {
    await run(`select pg_advisory_xact_lock(${LOCK_KEY})`);
    await run(`create schema if not exists spillway`);
    await run(`create table if not exists spillway.migrations (
      number integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())`);
    const applied = await run('select number, name, sha256 from spillway.migrations order by number');
    const digests = new Map(applied.map((row) => [Number(row['number']), row['sha256']]));
    const known = migrations.at(-1)?.number ?? 0;
    const newest = applied.at(-1);
    if (newest !== undefined && Number(newest['number']) > known) {
      throw new StoreError(
        'schema_newer',
        `the store has migration ${newest['name']}, this version of Spillway knows them up to number ${known}: start the newer version`,
      );
    }
    for (const { number, name, sql, sha256 } of migrations) {
      const digest = digests.get(number);
      if (digest === sha256) continue;
      if (digest !== undefined)
        throw new StoreError(
          'store_failed',
          `the migration ${name} has been changed since it was applied to this store`,
        );
      await run(sql);
      await run(
        `insert into spillway.migrations (number, name, sha256) values (${number}, ${text(name)}, ${text(sha256)})`,
      );
    }
  });
}
