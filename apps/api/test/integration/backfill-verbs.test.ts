import type { Lease } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../../src/control-plane/backfill/brake.ts';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import { pauseBackfill } from '../../src/control-plane/backfill/pause.ts';
import { readQuarantine } from '../../src/control-plane/backfill/quarantine.ts';
import { readBackfill, readReceipt } from '../../src/control-plane/backfill/queries.ts';
import { resumeBackfill } from '../../src/control-plane/backfill/resume.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { throttleBackfill } from '../../src/control-plane/backfill/throttle.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { workerPipelines } from '../../src/control-plane/pipelines/worker-view.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease, failLease } from '../../src/control-plane/workers/complete.ts';
import { recordLeaseReports } from '../../src/control-plane/workers/lease-reports.ts';
import { type Core, iso, midnight, openCore, operator } from '../fixtures/control-core.ts';
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

describe('verbs', () => {
  test('pause is effective when the worker has stopped, resume at once', async () => {
    const { worker } = await open();
    const { id } = await core.start();
    await core.pass();
    const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
    core.pushed(worker);
    const receipt = await core.run((work) =>
      pauseBackfill(core.ctx, work, operator, id, { reason: 'why not' }),
    );
    expect(receipt.effectiveAt).toBeNull();
    expect(core.pushed(worker)[0]).toEqual({
      type: 'stop',
      leaseIds: leases.map((lease) => lease.id),
      why: 'pause',
    });
    expect((await read(id)).state).toBe('pausing');
    // The push may be lost with its connection: every pass says it again.
    await core.pass();
    expect(core.pushed(worker)).toContainEqual({
      type: 'stop',
      leaseIds: leases.map((lease) => lease.id),
      why: 'pause',
    });
    expect((await claimLeases(core.ctx, worker, { max: 8 })).leases).toEqual([]);

    await core.tick(
      worker,
      leases.map((lease) => ({ lease, read: 70, published: 70, cursor: 'c7', stopped: true })),
    );
    expect(await read(id)).toMatchObject({
      state: 'paused',
      progress: { eventsPublished: 140 },
      holds: [{ reason: 'operator', by: 'ada' }],
    });
    const done = await readReceipt(core.ctx, receipt.id);
    expect(done.effectiveAt).not.toBeNull();
    expect(done.acknowledgedAt).not.toBeNull();

    await core.run((work) => resumeBackfill(core.ctx, work, operator, id));
    expect((await read(id)).state).toBe('running');
    await core.pass();
    const again = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
    expect(again.map((lease) => [lease.cursor, lease.published, lease.attempt])).toEqual([
      ['c7', 70, 2],
      ['c7', 70, 2],
    ]);
    expect(Math.min(...again.map((lease) => lease.fencingToken))).toBeGreaterThan(
      Math.max(...leases.map((lease) => lease.fencingToken)),
    );
    await core.close();
  });

  test('a throttle is pushed by the next pass and effective when every lease reports its grant', async () => {
    const { worker } = await open();
    const { id, revision } = await core.start();
    await core.pass();
    const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
    core.pushed(worker);
    await expect(
      core.run((work) => throttleBackfill(core.ctx, work, operator, id, { eventsPerSecond: 100 }, 99)),
    ).rejects.toMatchObject({ code: 'stale_revision' });
    const { receipt, backfill } = await core.run((work) =>
      throttleBackfill(core.ctx, work, operator, id, { eventsPerSecond: 1_000 }, revision),
    );
    expect(backfill).toMatchObject({ revision: revision + 1, limits: { eventsPerSecond: 1_000 } });
    await core.pass();
    const push = core.pushed(worker).find((message) => message.type === 'grants');
    expect(push?.grants.map((grant) => grant.eventsPerSecond)).toEqual([500, 500]);
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).toBeNull();
    await core.tick(
      worker,
      leases.map((lease, index) => ({ lease, grantSequence: push?.grants[index]?.sequence ?? 0 })),
    );
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).not.toBeNull();
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 1_000, binding: 'operator' });
    await core.close();
  });

  test('a throttle waits for whoever holds the leases now, whatever a worker says that held them before', async () => {
    const { worker: stale } = await open();
    const { id, revision } = await core.start();
    await core.pass();
    const { leases: lost } = await claimLeases(core.ctx, stale, { max: 8 });
    await core.ctx.database.execute(
      sql`update runs set lease_expires_at = now() - interval '1 second' where backfill_id = ${id}`,
    );
    await core.pass();
    const successor = await core.join();
    const { leases } = await claimLeases(core.ctx, successor, { max: 8 });
    expect(leases.map((lease) => lease.id).toSorted()).toEqual(lost.map((lease) => lease.id).toSorted());
    core.pushed(successor);
    const { receipt } = await core.run((work) =>
      throttleBackfill(core.ctx, work, operator, id, { eventsPerSecond: 1_000 }, revision),
    );
    await core.pass();
    const push = core.pushed(successor).find((message) => message.type === 'grants');
    // Also where what it has heard was of a process whose clock was ahead.
    await core.tick(
      stale,
      lost.map((lease) => ({ lease, grantSequence: Number.MAX_SAFE_INTEGER })),
    );
    await core.pass();
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).toBeNull();
    await core.tick(
      successor,
      leases.map((lease) => ({
        lease,
        grantSequence: push?.grants.find(({ leaseId }) => leaseId === lease.id)?.sequence ?? 0,
      })),
    );
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).not.toBeNull();
    await core.close();
  });

  test('cancel ends everything; a stale worker moves nothing', async () => {
    const { worker } = await open();
    const { id } = await core.start();
    await core.pass();
    const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
    const receipt = await core.run((work) =>
      cancelBackfill(core.ctx, work, operator, id, { reason: 'wrong month' }),
    );
    expect((await read(id)).state).toBe('cancelling');
    // Until it is over, an applier that begins tells of it what another may have left untold.
    const unfinished = async () => (await workerPipelines(core.ctx)).flatMap((view) => view.unfinished);
    expect(await unfinished()).toContain(id);
    await core.tick(
      worker,
      leases.map((lease) => ({ lease, published: 10, stopped: true })),
    );
    expect(await read(id)).toMatchObject({ state: 'cancelled', progress: { eventsPublished: 20 } });
    expect(await unfinished()).not.toContain(id);
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).not.toBeNull();
    const answer = await core.tick(
      worker,
      leases.map((lease) => ({ lease, published: 999 })),
    );
    expect(answer.leases.map((lease) => lease.verdict)).toEqual([
      'stale_fencing_token',
      'stale_fencing_token',
    ]);
    const [lease] = leases;
    await expect(
      completeLease(core.ctx, lease?.id ?? '', {
        ...published,
        fencingToken: lease?.fencingToken ?? 0,
        markers: [],
      }),
    ).rejects.toMatchObject({ code: 'stale_fencing_token' });
    expect((await read(id)).progress.eventsPublished).toBe(20);
    await expect(core.run((work) => pauseBackfill(core.ctx, work, operator, id))).rejects.toMatchObject({
      code: 'illegal_transition',
      extra: { state: 'cancelled', allowedActions: [] },
    });
    await core.close();
  });

  test('a source that fails for good fails the backfill; retry queues it again', async () => {
    const { worker } = await open();
    const { id } = await core.start();
    await core.pass();
    const [first, second] = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
    const failure = { code: 'source_corrupt', detail: 'garbled row group', address: 'row 17' };
    await failLease(core.ctx, first?.id ?? '', {
      fencingToken: first?.fencingToken ?? 0,
      failure,
      retriable: false,
    });
    const named = { ...failure, detail: expect.stringMatching(/^\S*(east|west): garbled row group$/) };
    expect(await read(id)).toMatchObject({
      state: 'failed',
      failure: named,
      allowedActions: ['cancel', 'retry'],
    });
    expect(
      (await core.tick(worker, second === undefined ? [] : [{ lease: second }])).leases[0]?.verdict,
    ).toBe('stale_fencing_token');
    await core.run((work) => retryBackfill(core.ctx, work, operator, id));
    expect(await read(id)).toMatchObject({ state: 'queued', failure: null, endedAt: null });
    await core.pass();
    expect((await claimLeases(core.ctx, worker, { max: 8 })).leases).toHaveLength(2);
    await core.close();
  });

  test('what cannot be reached is tried again for minutes: why is said, nothing new is begun there, and who got on begins anew', async () => {
    const { worker } = await open({ sourceIds: ['east'] });
    const year = { from: iso(midnight), to: iso(midnight + 365 * 86_400_000) };
    const { id } = await core.start({ window: year, limits: { concurrency: 2 } });
    const claim = async (max = 8) => {
      await core.pass(2);
      return (await claimLeases(core.ctx, worker, { max })).leases;
    };
    const fail = (lease: Lease, code = 'source_unavailable') =>
      failLease(core.ctx, lease.id, {
        fencingToken: lease.fencingToken,
        failure: { code, detail: 'nobody listens', address: null },
        retriable: true,
      });
    const waited = () =>
      core.ctx.database.execute(
        sql`update runs set retry_at = now() where backfill_id = ${id} and retry_at is not null`,
      );
    const planned = () => governorMemory(core.ctx).grants.planned(core.pipelineId, id);

    const [first] = (await claim(1)) as [Lease];
    await fail(first);
    const told = core.changes.findLast((change) => change.event === 'backfill');
    expect(told?.data).toMatchObject({ backfill: { warnings: [{ code: 'tried_again' }] } });
    expect(await claim()).toEqual([]);
    // Others may have its rate while it waits, and it is not shown as its own.
    expect(planned()).toBe(0);
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 0, binding: 'hold' });
    for (let failures = 2; failures <= 24; failures++) {
      await waited();
      const again = await claim();
      expect(again.map((lease) => lease.id)).toEqual([first.id]);
      expect((await read(id)).effective.eventsPerSecond).toBe(planned());
      expect(planned()).toBeGreaterThan(0);
      await fail(again[0] as Lease);
    }
    expect(await read(id)).toMatchObject({
      state: 'running',
      failure: null,
      warnings: [
        {
          code: 'tried_again',
          detail: expect.stringMatching(
            /east came to nothing 24 times in a row .*: nobody listens \(source_unavailable\)/,
          ),
        },
      ],
    });

    await waited();
    const [back] = (await claim()) as [Lease];
    await core.tick(worker, [{ lease: back, read: 90, published: 90, cursor: 'c1' }]);
    expect((await read(id)).warnings).toEqual([]);
    const [next] = (await claim()) as [Lease];
    expect(next.from).toBe(back.to);
    // The same place told again is no progress.
    for (let failures = 1, lease = back; failures <= 4; failures++) {
      await fail(lease, 'attempt_failed');
      expect((await read(id)).state).toBe('running');
      await waited();
      [lease] = (await claim(1)) as [Lease];
      await core.tick(worker, [{ lease, read: 90, published: 90, cursor: 'c1' }]);
      if (failures === 4) await fail(lease, 'attempt_failed');
    }
    expect(await read(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'attempt_failed' },
      warnings: [],
    });

    // Whoever tries it again has mended something: what failed beside it has its patience back as well.
    await core.ctx.database.execute(
      sql`update runs set failures = 24 where backfill_id = ${id} and state = 'pending'`,
    );
    await core.run((work) => retryBackfill(core.ctx, work, operator, id));
    for (const lease of await claim()) await fail(lease);
    expect((await read(id)).state).toBe('running');
    await core.close();
  });

  test('the brake stops every backfill of the pipeline and is effective when the last has stopped', async () => {
    const { worker } = await open();
    const running = await core.start();
    await core.pass();
    const queued = await core.start();
    const { leases } = await claimLeases(core.ctx, worker, { max: 2 });
    // Whoever else looks at the pipeline learns that it is on, and the revision that they need to change it.
    const toldOfBrake = () =>
      core.changes.flatMap((change) =>
        change.event === 'pipeline' && change.data.pipeline.id === core.pipelineId
          ? [change.data.pipeline.replayPaused]
          : [],
      );
    const receipt = await core.run((work) =>
      pauseReplay(core.ctx, work, operator, core.pipelineId, { reason: 'store is down' }),
    );
    expect(toldOfBrake()).toEqual([true]);
    await core.pass();
    expect((await read(queued.id)).state).toBe('queued');
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).toBeNull();
    await core.tick(
      worker,
      leases.map((lease) => ({ lease, stopped: true })),
    );
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).not.toBeNull();
    expect(await read(running.id)).toMatchObject({ state: 'paused', holds: [{ reason: 'brake' }] });
    // Resuming lifts the operator's hold and no other: it is refused, and says what does.
    expect((await read(running.id)).allowedActions).toEqual(['throttle', 'cancel']);
    await expect(
      core.run((work) => resumeBackfill(core.ctx, work, operator, running.id)),
    ).rejects.toMatchObject({
      code: 'illegal_transition',
      message: 'A paused backfill cannot be told to resume. It is held by the emergency brake: release that.',
      extra: { state: 'paused', allowedActions: ['throttle', 'cancel'] },
    });
    expect((await read(running.id)).state).toBe('paused');
    await core.run((work) => resumeReplay(core.ctx, work, operator, core.pipelineId));
    expect(toldOfBrake()).toEqual([true, false]);
    await core.pass();
    expect((await read(running.id)).state).toBe('running');
    expect((await read(queued.id)).state).toBe('running');
    await core.close();
  });
});

test('events that were left out are listed with the addresses of their rows', async () => {
  const { worker } = await open();
  const { id } = await core.start();
  const row = { sourceId: `${core.pipelineId}-east`, address: 'flights.parquet row 17' };
  const found = { ...row, code: 'bad_value', detail: 'delay is no number' };
  await recordLeaseReports(core.ctx, worker, [], [{ backfillId: id, ...found }], 0);
  expect(await readQuarantine(core.ctx, id)).toEqual({ items: [found], nextCursor: null });
  // Of one tick, told in any order: in the order in which people count, also at the end of the page.
  const rowAt = (number: number) => ({ ...found, address: `flights.parquet row ${number}` });
  await recordLeaseReports(
    core.ctx,
    worker,
    [],
    [100, 9, 21, 10].map((number) => ({ backfillId: id, ...rowAt(number) })),
    0,
  );
  const addresses = async (limit: number) =>
    (await readQuarantine(core.ctx, id, limit)).items.map(({ address }) => address.split(' ').at(-1));
  expect(await addresses(50)).toEqual(['17', '9', '10', '21', '100']);
  expect(await addresses(3)).toEqual(['17', '9', '10']);
  await expect(readQuarantine(core.ctx, 'bf_none')).rejects.toMatchObject({ code: 'unknown_backfill' });
  await core.close();
});

test('what the store has taken was published, also where the attempt never came to tell it', async () => {
  const { worker, applier } = await open();
  const { id } = await core.start();
  await core.pass();
  const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
  const tell = (published: number) =>
    core.tick(
      worker,
      leases.map((lease) => ({ lease, read: published, published })),
    );
  const taken = (applied: number) =>
    core.tick(applier, [], { counters: [{ backfillId: id, applied, duplicate: 7, quarantined: 3 }] });
  const shown = async () => (await read(id)).progress.eventsPublished;
  await tell(100);
  await taken(120);
  expect(await shown()).toBe(200);
  // The store is quicker to tell than the worker: that is not counted twice when the worker does.
  await taken(240);
  expect(await shown()).toBe(250);
  await tell(130);
  expect(await shown()).toBe(260);
  await core.close();
});
