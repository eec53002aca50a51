/** A name that is given up and taken at the same time. On a server: the embedded database lets nobody else in meanwhile. */
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { migrate } from '../../src/control-plane/database/migrate.ts';
import { pipelines } from '../../src/control-plane/database/schema.ts';
import { createPipeline } from '../../src/control-plane/pipelines/create.ts';
import { removePipeline } from '../../src/control-plane/pipelines/remove.ts';
import { type Core, openCore, operator } from '../fixtures/control-core.ts';
import { startPostgres } from '../fixtures/postgres-server.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
let core: Core;
beforeAll(async () => {
  server = await startPostgres();
  await migrate(server.url('postgres'));
  core = await openCore(server.url('postgres'));
});
afterAll(async () => {
  await core?.close();
  await server?.stop();
});

const somebodyWaits = async () => {
  const { rows } = await core.ctx.database.execute(
    sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'`,
  );
  expect(rows).toHaveLength(1);
};

test('who asks for the name while it is given up begins after the revision that it is given up with', async () => {
  const { ctx, pipelineId } = core;
  const create = () =>
    core.run((work) =>
      createPipeline(ctx, work, operator, {
        ...{ id: pipelineId, title: 'The next', kind: 'external' },
        external: { url: 'redis://shop', stream: 'orders', groups: ['counts'] },
        route: { kind: 'shared', decision: 'There is one stream.' },
      }),
    );
  let creating: Promise<Pipeline> | undefined;
  await core.run(async (work) => {
    await removePipeline(ctx, work, operator, pipelineId);
    creating = create();
    await vi.waitFor(somebodyWaits, { timeout: 10_000, interval: 20 });
  });
  const next = await creating;
  const [removed] = await ctx.database
    .select({ revision: pipelines.revision })
    .from(pipelines)
    .where(sql`${pipelines.removedAt} is not null`);
  expect(next?.revision).toBe((removed?.revision ?? 0) + 1);
  const [row] = await ctx.database.select().from(pipelines).where(eq(pipelines.id, pipelineId));
  expect(row?.replayStream).toBe(`external.${pipelineId}.${next?.revision}`);
  await expect(create()).rejects.toMatchObject({ code: 'pipeline_exists' });
});
