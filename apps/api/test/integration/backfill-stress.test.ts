/**
 * Everybody at once: operators, workers, an applier and the governor on many connections. On PostgreSQL this is where a wrong order of
 * locks would show as a deadlock (40P01), a stale snapshot as a subwindow handed out twice, a lost update as a wrong sum.
 * The embedded database serialises transactions, so it runs on a server, too.
 */
import type { Lease } from '@spillway/shared/api/worker-protocol';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../../src/control-plane/backfill/brake.ts';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import { pauseBackfill } from '../../src/control-plane/backfill/pause.ts';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { resumeBackfill } from '../../src/control-plane/backfill/resume.ts';
import { migrate } from '../../src/control-plane/database/migrate.ts';
import { pipelines } from '../../src/control-plane/database/schema.ts';
import { removePipeline } from '../../src/control-plane/pipelines/remove.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import {
  appliedUpTo,
  type Core,
  iso,
  matched,
  midnight,
  openCore,
  operator,
} from '../fixtures/control-core.ts';
import { startControlDatabase } from '../fixtures/control-database.ts';
import { startPostgres } from '../fixtures/postgres-server.ts';

async function startServer() {
  const server = await startPostgres();
  const url = server.url('postgres');
  await migrate(url);
  return { url, end: () => server.stop() };
}

/** A proof publishes nothing. */
const more = (lease: Lease, events: number) => (lease.kind === 'verify' ? 0 : events);

/** Refusals that the interleaving explains; anything else fails the test. */
const expected = new Set(['illegal_transition', 'stale_fencing_token']);
async function tolerant(run: () => Promise<unknown>): Promise<void> {
  await run().catch((error: { code?: string }) => {
    if (!expected.has(error.code ?? '')) throw error;
  });
}

describe.each([
  ['the embedded database', startControlDatabase],
  ['a PostgreSQL server', startServer],
])('on %s', (_, startDatabase) => {
  let database: { readonly url: string; end(): Promise<void> };
  let core: Core;

  beforeAll(async () => {
    database = await startDatabase();
    core = await openCore(database.url, {
      sourceIds: ['a', 'b', 'c'],
      eventsPerHour: 1_000,
      // Its applier tells of nothing live: replay has its floor, whatever live may need.
      pipeline: { replayFloor: 0.5 },
    });
  });
  afterAll(async () => {
    await core?.close();
    await database?.end();
  });

  test('three backfills complete while everyone interferes with everyone', async () => {
    const ids = await Promise.all(
      [8, 10, 12].map(
        async (hours) =>
          (await core.start({ window: { from: iso(midnight), to: iso(midnight + hours * 3_600_000) } })).id,
      ),
    );
    const applier = await core.join('apply');
    let marker = 0;
    const offset = () => `${++marker}`.padStart(8, '0');
    let interfering = true;
    const unfinished = async () => {
      const states = await Promise.all(
        ids.map(async (id) => (await readBackfill(core.ctx, operator, id)).state),
      );
      return states.some((state) => state !== 'completed');
    };

    async function work(): Promise<void> {
      const worker = await core.join();
      while (interfering || (await unfinished())) {
        const { leases } = await claimLeases(core.ctx, worker, { max: 3 });
        await tolerant(() =>
          core.tick(
            worker,
            leases.map((lease) => ({
              lease,
              published: lease.published + more(lease, 1),
              read: lease.read + more(lease, 1),
              cursor: 'c',
            })),
          ),
        );
        await Promise.all(
          leases.map((lease, index) =>
            tolerant(() => (index === 2 ? giveBack(worker, lease) : finish(lease))),
          ),
        );
      }
    }
    const giveBack = (worker: string, lease: Lease) =>
      core.tick(worker, [
        {
          lease,
          published: lease.published + more(lease, 2),
          read: lease.read + more(lease, 2),
          stopped: true,
        },
      ]);
    function finish(lease: Lease): Promise<void> {
      const proof = lease.kind === 'verify' ? { ...matched, mismatches: [] } : null;
      const published = proof === null ? lease.published + 5 : 0;
      const markers = proof === null ? [{ partition: 0, offset: offset() }] : [];
      return completeLease(core.ctx, lease.id, {
        fencingToken: lease.fencingToken,
        read: published,
        published,
        quarantined: 0,
        markers,
        verification: proof,
      });
    }
    async function apply(): Promise<void> {
      while (interfering || (await unfinished())) {
        const counters = await Promise.all(
          ids.map(async (id) => ({
            backfillId: id,
            applied: (await readBackfill(core.ctx, operator, id)).progress.eventsPublished,
            duplicate: 0,
            quarantined: 0,
          })),
        );
        await core.tick(applier, [], appliedUpTo(core, `${marker}`.padStart(8, '0'), counters));
      }
    }
    async function govern(): Promise<void> {
      while (interfering || (await unfinished())) await core.pass();
    }
    async function interfere(): Promise<void> {
      for (let round = 0; round < 30; round++) {
        const id = ids[round % ids.length] as string;
        await tolerant(() => core.run((work) => pauseBackfill(core.ctx, work, operator, id)));
        if (round % 7 === 3) await core.run((work) => pauseReplay(core.ctx, work, operator, core.pipelineId));
        await tolerant(() => core.run((work) => resumeBackfill(core.ctx, work, operator, id)));
        if (round % 7 === 3)
          await core.run((work) => resumeReplay(core.ctx, work, operator, core.pipelineId));
      }
      for (const id of ids)
        await tolerant(() => core.run((work) => resumeBackfill(core.ctx, work, operator, id)));
      interfering = false;
    }
    await Promise.all([work(), work(), work(), apply(), govern(), interfere()]);

    const { rows } = await core.ctx.database.execute<{ id: string; wrong: boolean }>(sql`
    select b.id, b.state <> 'completed' or b.subwindows_done <> b.subwindows_total
      or b.events_published <> (select sum(published) from runs r where r.backfill_id = b.id and r.kind = 'replay')
      or b.subwindows_total <> (select sum(to_index - from_index) from runs r where r.backfill_id = b.id and r.kind = 'replay' and r.state = 'done')
      or 3 <> (select count(*) from runs r where r.backfill_id = b.id and r.kind = 'replay')
      or exists (select 1 from lanes l where l.backfill_id = b.id and l.slot_held) as wrong
    from backfills b where b.pipeline_id = ${core.pipelineId} order by b.id`);
    expect(rows).toEqual(ids.toSorted().map((id) => ({ id, wrong: false })));
  });

  test('a pipeline that is removed while everyone uses it is kept by whoever started, or gone for all', async () => {
    const refusals = new Set<unknown>();
    for (let round = 0; round < 4; round++) {
      const world = await openCore(database.url);
      const { ctx, pipelineId } = world;
      const remove = () => world.run((work) => removePipeline(ctx, work, operator, pipelineId));
      const kept = async () => (await ctx.database.$count(pipelines, eq(pipelines.id, pipelineId))) > 0;
      const asked = await Promise.allSettled([
        // Sooner or later than the others.
        ...Array.from({ length: round % 4 }, () => world.start()),
        remove(),
        ...Array.from({ length: 3 }, () => world.start()),
        world.pass(),
      ]);
      for (const one of asked) if (one.status === 'rejected') refusals.add(one.reason.code ?? one.reason);
      const started = asked.flatMap((one) =>
        one.status === 'fulfilled' && typeof one.value === 'object' ? [one.value.id] : [],
      );
      expect(started.length > 0).toBe(await kept());
      for (const id of started)
        await world.run((work) => cancelBackfill(ctx, work, operator, id, { reason: 'over' }));
      if (started.length > 0) await remove();
      expect(await kept()).toBe(false);
      await world.close();
    }
    expect(
      [...refusals].filter((code) => code !== 'unknown_pipeline' && code !== 'backfills_unfinished'),
    ).toEqual([]);
  });
});
