/** What the control plane makes of how the groups of an external pipeline stand: done, lost, or not to be looked at. */
import type { ExternalReport } from '@spillway/shared/api/external';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import { type Core, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { readSettingsOf } from '../fixtures/told-settings.ts';

let database: ControlDatabase;
let core: Core;
let worker: string;
let stream: string;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

const external = { url: 'redis://:canary@127.0.0.1:1', stream: 'orders', groups: ['counts'] };
const read = (id: string) => readBackfill(core.ctx, operator, id);

/** No applier of ours has anything to do with it. */
async function open(): Promise<void> {
  core = await openCore(database.url, {
    sourceIds: ['us'],
    healthyApplier: false,
    pipeline: { external },
  });
  worker = await core.join();
  stream = `${core.pipelineId}-replay`;
}

const report = (change: Partial<ExternalReport> = {}): ExternalReport => ({
  stream,
  length: 0,
  lagEntries: 0,
  lagMs: 0,
  position: null,
  finishedEntries: 0,
  lostEntries: 0,
  problem: null,
  ...change,
});

/** A tick of the worker that says how the groups stand. */
const tell = (change: Partial<ExternalReport> = {}, reports: Parameters<Core['tick']>[1] = []) =>
  core.tick(worker, reports, undefined, {
    eventsPublished: 0,
    published: [],
    stage: { busyRatio: null, blockedRatio: null, idleRatio: null },
    gates: [],
    external: [report(change)],
  });

async function publish(id: string, offset: string, events = 400): Promise<void> {
  await tell();
  await core.pass(2);
  const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
  expect(leases.map((lease) => [lease.backfillId, lease.kind])).toEqual([[id, 'replay']]);
  for (const lease of leases)
    await completeLease(core.ctx, lease.id, {
      fencingToken: lease.fencingToken,
      read: events,
      published: events,
      quarantined: 0,
      markers: [{ partition: 0, offset }],
      verification: null,
    });
}

describe('a backfill of an external pipeline', () => {
  test('is done when the groups have passed its place, and then completed without a proof', async () => {
    await open();
    const { id } = await core.start();
    await publish(id, '0005');
    await tell({ position: '0004' });
    expect(await read(id)).toMatchObject({ state: 'running', progress: { subwindowsDone: 0 } });
    await tell({ position: '0003' });
    await tell({ position: '0005' });
    expect(await read(id)).toMatchObject({
      state: 'completed',
      progress: { percent: 100, eventsPublished: 400, eventsApplied: null, eventsDuplicate: null },
      verification: {
        state: 'unavailable',
        detail: expect.stringContaining('Not verifiable'),
        bucketsChecked: 0,
      },
      allowedActions: [],
    });
  });

  test('whose entries were trimmed before they were read fails as a gap, and is published anew from the beginning', async () => {
    await open();
    const { id } = await core.start();
    await publish(id, '0005');
    await tell({ position: '0005', lostEntries: 7 });
    expect(await read(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'gap', detail: expect.stringContaining('7 entries') },
    });
    await core.run((work) => retryBackfill(core.ctx, work, operator, id, { reason: 'again' }));
    await tell();
    await core.pass(2);
    const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
    expect(leases).toMatchObject([{ cursor: null, kind: 'replay' }]);
  });

  test('under way when entries were lost gives its lease up, too', async () => {
    await open();
    const { id } = await core.start();
    await tell();
    await core.pass(2);
    const [lease] = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
    if (lease === undefined) throw new Error('no lease');
    await tell({}, [{ lease, read: 100, published: 90, cursor: 'c1' }]);
    await tell({ lostEntries: 1 }, [{ lease, read: 100, published: 90, cursor: 'c1' }]);
    expect((await read(id)).state).toBe('failed');
    const answer = await tell({}, [{ lease, read: 120, published: 110, cursor: 'c2' }]);
    expect(answer.leases.map(({ verdict }) => verdict)).toEqual(['stale_fencing_token']);
  });

  test('stands while the groups cannot be looked at, and says why', async () => {
    await open();
    const { id } = await core.start({ limits: { eventsPerSecond: 1_000 } });
    await tell();
    await core.pass(2);
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 1_000, binding: 'operator' });
    await tell({
      lagEntries: null,
      length: null,
      problem: { code: 'group_missing', detail: 'no group counts' },
    });
    await core.pass(2);
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 0, binding: 'hard_stop' });
    expect((await read(id)).effective.ceilings).toContainEqual(
      expect.objectContaining({ reason: 'hard_stop', detail: 'no group counts' }),
    );
    await tell();
    await core.pass(2);
    expect((await read(id)).effective.eventsPerSecond).toBe(1_000);
  });

  test('goes no faster than capacity less headroom, though live is not known', async () => {
    await open();
    const { id } = await core.start({ limits: { eventsPerSecond: 1_000_000 } });
    await tell();
    await core.pass(2);
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 9_000, binding: 'live_first' });
  });
});

test('what lets somebody in there is told to replay workers alone', async () => {
  await open();
  const applier = await core.join('apply');
  const told = await readSettingsOf(core, { replay: worker, apply: applier });
  expect(told.replay).toMatchObject([{ pipelineId: core.pipelineId, external }]);
  expect(told.apply).toEqual([]);
});
