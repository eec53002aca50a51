/** What the migration makes of a backfill that had lost entries before anybody counted what is read again. */
import { readFileSync } from 'node:fs';
import { eq, sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { backfills, runs } from '../../src/control-plane/database/schema.ts';
import { openCore } from '../fixtures/control-core.ts';
import { startControlDatabase } from '../fixtures/control-database.ts';

const MIGRATION = new URL('../../../../drizzle/control/0018_events_again.sql', import.meta.url);

test('a run that is read from its beginning counts as nothing, one that goes on as what it has published', async () => {
  const control = await startControlDatabase();
  const core = await openCore(control.url);
  const { database } = core.ctx;
  const { id } = await core.start();
  await database.update(backfills).set({ eventsApplied: 900 }).where(eq(backfills.id, id));
  const sourceId = `${core.pipelineId}-east`;
  const run = { kind: 'replay' as const, backfillId: id, sourceId, state: 'pending' as const };
  await database.insert(runs).values([
    { ...run, id: 'ls_lost', fromIndex: 0, toIndex: 1, read: 500, published: 500 },
    { ...run, id: 'ls_goes_on', fromIndex: 1, toIndex: 2, read: 400, published: 400, cursor: 'here' },
  ]);

  const steps = readFileSync(MIGRATION, 'utf8').split('--> statement-breakpoint');
  for (const update of steps.filter((step) => !step.includes('ALTER TABLE')))
    await database.execute(sql.raw(update));

  const [migrated] = await database.select().from(backfills).where(eq(backfills.id, id));
  expect(migrated?.eventsAgain).toBe(500);
  const left = await database.select().from(runs).orderBy(runs.id);
  expect(left).toMatchObject([
    { read: 400, published: 400 },
    { read: 0, published: 0 },
  ]);
  await core.close();
  await control.end();
});
