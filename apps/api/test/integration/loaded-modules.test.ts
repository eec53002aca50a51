/** What a process loads it pays for at each of its starts, and a pipeline waits for it at each restart. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import * as schema from '../../src/control-plane/database/schema.ts';
import { migratedControl } from '../../src/control-plane/database/steps.ts';
import { startProcess } from '../fixtures/started-process.ts';

/** Tells each module that is loaded; all of an entry point's are before it finds its settings wrong. */
const told = `data:text/javascript,import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { process.stdout.write(url + '\\n'); return next(url, context); } });`;

async function modulesOf(entry: string): Promise<string> {
  const { child, output } = startProcess(entry, [], {
    env: { ...process.env, SPILLWAY_PORT: 'none' },
    execArgv: ['--import', told],
  });
  await once(child, 'close');
  return output.stdout;
}

test.each(['start.ts', 'worker.ts'])('%s loads no query builder', async (entry) => {
  const modules = await modulesOf(entry);
  expect(modules).toContain('/src/check-databases.ts');
  expect(modules).not.toContain('/drizzle-orm/');
});

test('and knows the tables of the control database all the same', () => {
  const { tables, version } = migratedControl();
  expect(tables.map(({ name }) => name).toSorted()).toEqual(
    Object.values(schema)
      .flatMap((one) => (is(one, PgTable) ? [getTableName(one)] : []))
      .toSorted(),
  );
  const folder = join(import.meta.dirname, '../../../../drizzle/control');
  expect(version).toBe(readdirSync(folder).filter((name) => name.endsWith('.sql')).length);
});
