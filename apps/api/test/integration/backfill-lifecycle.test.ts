import type { Lease } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease, failLease } from '../../src/control-plane/workers/complete.ts';
import { appliedUpTo, type Core, matched, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let core: Core;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

const published = { read: 400, published: 400, quarantined: 0, verification: null };
const read = (id: string) => readBackfill(core.ctx, operator, id);

async function open(
  options: Parameters<typeof openCore>[1] = {},
): Promise<{ worker: string; applier: string }> {
  core = await openCore(database.url, options);
  return { worker: await core.join(), applier: await core.join('apply') };
}

describe('from start to the proof', () => {
  test('a backfill runs to completed', async () => {
    const { worker, applier } = await open();
    const { id } = await core.start();
    expect((await read(id)).state).toBe('queued');
    await core.pass();
    expect((await read(id)).state).toBe('running');

    const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
    expect(
      leases.map((lease) => [
        lease.sourceId.split('-').at(-1),
        lease.kind,
        (lease.to - lease.from) / 3_600_000,
      ]),
    ).toEqual([
      ['east', 'replay', 4],
      ['west', 'replay', 4],
    ]);
    expect(leases.map((lease) => lease.grant.eventsPerSecond)).toEqual([2_500, 2_500]);
    const answer = await core.tick(
      worker,
      leases.map((lease) => ({ lease, read: 100, published: 90, quarantined: 10, cursor: 'c1' })),
    );
    expect(answer.leases.map((lease) => lease.verdict)).toEqual(['renewed', 'renewed']);
    expect((await read(id)).progress).toMatchObject({
      eventsRead: 200,
      eventsPublished: 180,
      eventsQuarantined: 20,
      subwindowsDone: 0,
      eventsExpected: 800,
    });

    for (const [index, lease] of leases.entries()) {
      await completeLease(core.ctx, lease.id, {
        ...published,
        fencingToken: lease.fencingToken,
        markers: [{ partition: 0, offset: `000${index + 1}` }],
      });
    }
    await core.tick(
      applier,
      [],
      appliedUpTo(core, '0001', [{ backfillId: id, applied: 400, duplicate: 0, quarantined: 0 }]),
    );
    expect((await read(id)).progress).toMatchObject({
      subwindowsDone: 4,
      subwindowsTotal: 8,
      eventsApplied: 400,
      eventsPublished: 800,
      percent: 50,
    });
    await core.tick(
      applier,
      [],
      appliedUpTo(core, '0002', [{ backfillId: id, applied: 800, duplicate: 0, quarantined: 0 }]),
    );
    expect(await read(id)).toMatchObject({ state: 'verifying', verification: { state: 'running' } });

    const proofs = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
    expect(proofs.map((lease) => lease.kind)).toEqual(['verify', 'verify']);
    // Of 5,000 events/s, both at once.
    expect(proofs.map((lease) => lease.proofEventsPerSecond)).toEqual([25_000, 25_000]);
    for (const lease of proofs) {
      await completeLease(core.ctx, lease.id, {
        read: 0,
        published: 0,
        quarantined: 0,
        markers: [],
        fencingToken: lease.fencingToken,
        verification: { ...matched, mismatches: [] },
      });
    }
    const after = await read(id);
    expect(after).toMatchObject({
      state: 'completed',
      verification: { state: 'matched', bucketsChecked: 8, bucketsMatched: 8 },
      progress: { percent: 100 },
    });
    expect(after.endedAt).not.toBeNull();
    await core.close();
  });
});

/** Two sources of 400 events each, read and proved as a test says. */
async function reading() {
  const { worker, applier } = await open();
  const { id } = await core.start();
  let [marker, applied] = [0, 0];
  const apply = (events: number) => {
    applied += events;
    const counters = [{ backfillId: id, applied, duplicate: 0, quarantined: 0 }];
    return core.tick(applier, [], appliedUpTo(core, `000${marker}`, counters));
  };
  const claim = async () => {
    await core.pass(2);
    return (await claimLeases(core.ctx, worker, { max: 8 })).leases;
  };
  return {
    id,
    east: `${core.pipelineId}-east`,
    claim,
    apply,
    told: (leases: readonly Lease[], published: number) =>
      core.tick(
        worker,
        leases.map((lease) => ({ lease, read: published, published, cursor: 'c1' })),
      ),
    publish: async (leases: readonly Lease[]) => {
      for (const lease of leases)
        await completeLease(core.ctx, lease.id, {
          ...{ read: 410, published: 400, quarantined: 10, verification: null },
          markers: [{ partition: 0, offset: `000${++marker}` }],
          fencingToken: lease.fencingToken,
        });
    },
    prove: async (differs: (sourceId: string) => boolean) => {
      const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
      expect(leases.map((lease) => lease.kind)).toEqual(['verify', 'verify']);
      for (const lease of leases)
        await completeLease(core.ctx, lease.id, {
          ...{ read: 0, published: 0, quarantined: 0, markers: [], fencingToken: lease.fencingToken },
          verification: {
            ...matched,
            ...(differs(lease.sourceId) ? { state: 'mismatched', bucketsMatched: 3 } : {}),
            mismatches: [],
          },
        });
    },
  };
}

test('what the proof found to differ is read again by a retry, and only that', async () => {
  const { id, east, claim, publish, apply, prove } = await reading();
  await publish(await claim());
  await apply(800);
  await prove((sourceId) => sourceId === east);
  expect(await read(id)).toMatchObject({ state: 'failed', failure: { code: 'proof_mismatched' } });

  await core.run((work) => retryBackfill(core.ctx, work, operator, id));
  const retried = sql`select after from audit where target = ${id} and action = 'backfill.retry'`;
  expect((await core.ctx.database.execute(retried)).rows).toEqual([
    { after: { state: 'queued', readAgain: [east] } },
  ]);
  expect((await read(id)).progress).toMatchObject({ subwindowsDone: 4, subwindowsTotal: 8, percent: 50 });
  const again = await claim();
  expect(again).toMatchObject([
    { sourceId: east, kind: 'replay', read: 0, published: 0, quarantined: 0, cursor: null },
  ]);
  await publish(again);
  await apply(400);
  const { progress } = await read(id);
  expect(progress).toMatchObject({ subwindowsDone: 8, eventsPublished: 1_200, eventsQuarantined: 20 });
  await prove(() => false);
  expect(await read(id)).toMatchObject({ state: 'completed', verification: { state: 'matched' } });
  await core.close();
});

test.for([
  ['none', 400],
  ['much', 100],
  ['all', 0],
] as const)(
  'of a source that differs, of which %s was lost, what is done and left is right before, during and after each reading',
  async ([, stored]) => {
    const { id, east, claim, told, publish, apply, prove } = await reading();
    const progress = async () => {
      const { eventsDone, eventsExpected, percent } = (await read(id)).progress;
      return { eventsDone, eventsExpected, percent };
    };
    await publish(await claim());
    await apply(400 + stored);
    for (const _reading of [2, 3]) {
      await prove((sourceId) => sourceId === east);
      await core.run((work) => retryBackfill(core.ctx, work, operator, id));
      expect(await progress()).toEqual({ eventsDone: 400, eventsExpected: 800, percent: 50 });
      let leases = await claim();
      await told(leases, 200);
      await apply(100);
      expect(await progress()).toEqual({ eventsDone: 500, eventsExpected: 800, percent: 62.5 });
      // It fails of something else half-way, and goes on from there.
      const [{ id: leaseId, fencingToken }] = leases as [Lease];
      const failure = { code: 'source_corrupt', detail: 'garbled row group', address: 'row 17' };
      await failLease(core.ctx, leaseId, { fencingToken, failure, retriable: false });
      await core.run((work) => retryBackfill(core.ctx, work, operator, id));
      expect(await progress()).toEqual({ eventsDone: 500, eventsExpected: 800, percent: 62.5 });
      leases = await claim();
      expect(leases).toMatchObject([{ published: 200, cursor: 'c1' }]);
      await publish(leases);
      await apply(300);
      expect(await progress()).toEqual({ eventsDone: 800, eventsExpected: 800, percent: 100 });
    }
    await prove(() => false);
    expect(await progress()).toEqual({ eventsDone: 800, eventsExpected: 800, percent: 100 });
    expect((await read(id)).progress).toMatchObject({
      eventsPublished: 1_600,
      eventsApplied: 1_200 + stored,
    });
    await core.close();
  },
);
