/** Sources that come back together: queued, staggered, at most as many at once as there are slots, never above the share. */

import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { backfills, gaps, pipelines } from '../../src/control-plane/database/schema.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import { appliedUpTo, type Core, matched, midnight, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { FORGET_BACKFILLS } from '../fixtures/forget-backfills.ts';

const HOUR_MS = 3_600_000;
const SLOTS = 2;
const SHARE_EVENTS_PER_SECOND = 5_000;
const names = ['west', 'mountain', 'central', 'east'];

let database: ControlDatabase;
let core: Core;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());
beforeEach(async () => {
  core = await openCore(database.url, { sourceIds: names, maxSourcesReplaying: SLOTS, eventsPerHour: 1_000 });
});
afterEach(async () => {
  await core.ctx.database.execute(FORGET_BACKFILLS);
  await core.close();
});

const stagger = (reconnectStaggerMs: number) =>
  core.ctx.database.update(pipelines).set({ reconnectStaggerMs });

/** Gaps of known extent, as outages leave them. */
async function leaveGaps(sources: readonly string[], from: number, to: number): Promise<void> {
  await core.ctx.database.insert(gaps).values(
    sources.map((name) => ({
      id: `gap-${name}-${from}`,
      sourceId: `${core.pipelineId}-${name}`,
      gapFrom: from,
      fromKnown: true,
      gapTo: to,
      disconnectedBy: 'ada',
      reconnectedBy: 'ada',
      reconnectedAt: new Date(),
    })),
  );
}

const granted = () =>
  [...governorMemory(core.ctx).grants.grantedBy(core.pipelineId).values()].reduce(
    (sum, rate) => sum + rate,
    0,
  );
const heldBy = async (id = '') =>
  (await readBackfill(core.ctx, operator, id)).effective.ceilings.find(({ reason }) => reason === 'hold')
    ?.detail;
const all = () => core.ctx.database.select().from(backfills).orderBy(backfills.ordinal);
const slotsHeld = async () => {
  const { rows } = await core.ctx.database.execute<{ held: number }>(
    sql`select count(*)::int as held from lanes where slot_held`,
  );
  return rows[0]?.held ?? 0;
};

test('four at once: two slots, one share, and all of them complete', async () => {
  await stagger(0);
  await leaveGaps(names, midnight, midnight + 6 * HOUR_MS);
  const worker = await core.join();
  const applier = await core.join('apply');
  let marker = 0;
  let mostSlots = 0;
  let mostGranted = 0;
  for (let round = 0; round < 200; round++) {
    await core.pass();
    mostSlots = Math.max(mostSlots, await slotsHeld());
    const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
    mostGranted = Math.max(mostGranted, granted());
    await core.tick(
      worker,
      leases.map((lease) => ({ lease, read: lease.read, published: lease.published })),
    );
    // With the leases held, as a pass meets them.
    await core.pass();
    mostGranted = Math.max(mostGranted, granted());
    for (const lease of leases) {
      const proof = lease.kind === 'verify' ? { ...matched, mismatches: [] } : null;
      await completeLease(core.ctx, lease.id, {
        fencingToken: lease.fencingToken,
        read: proof === null ? 1 : 0,
        published: proof === null ? 1 : 0,
        quarantined: 0,
        markers: proof === null ? [{ partition: 0, offset: `${++marker}`.padStart(8, '0') }] : [],
        verification: proof,
      });
    }
    await core.tick(applier, [], appliedUpTo(core, `${marker}`.padStart(8, '0')));
    if ((await all()).every(({ state }) => state === 'completed') && round > 0) break;
  }
  const done = await all();
  expect(done.map(({ state, origin }) => ({ state, origin }))).toEqual(
    Array(4).fill({ state: 'completed', origin: 'reconnect' }),
  );
  expect(mostSlots).toBe(SLOTS);
  expect(mostGranted).toBeGreaterThan(0);
  expect(mostGranted).toBeLessThanOrEqual(SHARE_EVENTS_PER_SECOND * 1.0001);
  expect(await slotsHeld()).toBe(0);
});

test('one is not started before its part of the stagger is over, and meanwhile takes further gaps in', async () => {
  await stagger(3_600_000);
  await leaveGaps(['west'], midnight, midnight + HOUR_MS);
  await core.pass();
  await core.pass();
  const [queued] = await all();
  expect(queued).toMatchObject({ state: 'queued', origin: 'reconnect' });
  expect(await slotsHeld()).toBe(0);
  expect(await heldBy(queued?.id)).toContain('waits for its part of the stagger');
  await leaveGaps(['west'], midnight + 3 * HOUR_MS, midnight + 4 * HOUR_MS);
  await core.pass();
  expect(await all()).toMatchObject([
    {
      id: queued?.id,
      windowTo: midnight + 4 * HOUR_MS,
      subwindowsTotal: 4,
      eventsExpected: 4_000,
      notBefore: queued?.notBefore,
    },
  ]);

  await core.ctx.database.update(backfills).set({ notBefore: sql`now()` });
  await core.pass();
  expect((await readBackfill(core.ctx, operator, queued?.id as string)).state).toBe('running');
  // Started: what comes now waits for itself.
  await leaveGaps(['west'], midnight + 5 * HOUR_MS, midnight + 6 * HOUR_MS);
  await core.pass();
  expect((await all()).map(({ state, windowFrom }) => ({ state, windowFrom }))).toEqual([
    { state: 'running', windowFrom: midnight },
    { state: 'queued', windowFrom: midnight + 5 * HOUR_MS },
  ]);
});

test('one that an operator cancelled is not queued again, and is not extended', async () => {
  await stagger(3_600_000);
  await leaveGaps(['west'], midnight, midnight + HOUR_MS);
  await core.pass();
  const [first] = await all();
  await core.run((work) =>
    cancelBackfill(core.ctx, work, operator, first?.id as string, { reason: 'not needed' }),
  );
  await core.pass();
  expect((await all()).map(({ state }) => state)).toEqual(['cancelled']);
  await leaveGaps(['west'], midnight + HOUR_MS, midnight + 2 * HOUR_MS);
  await core.pass();
  expect((await all()).map(({ state }) => state)).toEqual(['cancelled', 'queued']);
});
