/**
 * What the control database's schema is: the files of `drizzle/control` in the order of their names. Apart from what runs them, because whoever
 * only looks at a database needs no query builder, and loading one takes a process half a second of a core.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MIGRATIONS = join(import.meta.dirname, '../../../../../drizzle/control');

/** Where its tables lie, whatever the search path of the user is. */
export const CONTROL_SCHEMA = 'public';

/** Each is as many statements as it needs. */
export function readSteps(): string[] {
  const names = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  return names
    .toSorted()
    .map((name) => readFileSync(join(MIGRATIONS, name), 'utf8').replaceAll('--> statement-breakpoint', ''));
}

/** What a database that is migrated has: what a look at one is held against. */
export function migratedControl() {
  const steps = readSteps();
  return {
    schema: CONTROL_SCHEMA,
    ledger: 'spillway_schema',
    version: steps.length,
    tables: steps.flatMap((step, index) =>
      [...step.matchAll(/^CREATE TABLE "(\w+)"/gm)].map(([, name]) => ({
        name: name as string,
        since: index + 1,
      })),
    ),
  };
}
