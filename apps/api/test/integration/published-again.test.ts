/** An attempt that ends between two checkpoints is followed by one that publishes the rest of its batch once more: that costs, and is not progress. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease, failLease } from '../../src/control-plane/workers/complete.ts';
import { endLeasesOf } from '../../src/control-plane/workers/lost-leases.ts';
import { appliedUpTo, matched, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

/** One source of 400 events in one run. */
async function reading() {
  const core = await openCore(database.url, { sourceIds: ['east'] });
  const [worker, applier] = [await core.join(), await core.join('apply')];
  const { id } = await core.start();
  await core.pass();
  const claim = async () => {
    const { leases } = await claimLeases(core.ctx, worker, { max: 1 });
    const [lease] = leases;
    if (lease === undefined) throw new Error('nothing to claim');
    return lease;
  };
  const apply = async (events: number, position = '0000') => {
    const counters = [
      { backfillId: id, applied: Math.min(events, 400), duplicate: Math.max(0, events - 400) },
    ];
    await core.tick(
      applier,
      [],
      appliedUpTo(
        core,
        position,
        counters.map((c) => ({ ...c, quarantined: 0 })),
      ),
    );
  };
  const progress = async () => {
    const { eventsPublished, eventsApplied, eventsDuplicate, eventsDone, percent } = (
      await readBackfill(core.ctx, operator, id)
    ).progress;
    return { eventsPublished, handled: (eventsApplied ?? 0) + (eventsDuplicate ?? 0), eventsDone, percent };
  };
  return { core, worker, id, claim, apply, progress };
}

test('what is published again is handled again, and done once', async () => {
  const { core, worker, claim, apply, progress } = await reading();
  const first = await claim();
  expect(first).toMatchObject({ again: 0, ahead: 0 });
  const stopped = { cursor: 'c100', read: 200, published: 180, ahead: 80, stopped: true };
  await core.tick(worker, [{ lease: first, ...stopped }]);
  await apply(180);
  // Handled once so far.
  expect(await progress()).toEqual({ eventsPublished: 180, handled: 180, eventsDone: 180, percent: 45 });

  const second = await claim();
  expect(second).toMatchObject({ cursor: 'c100', published: 180, again: 0, ahead: 80 });
  const on = { lease: second, cursor: 'c200', read: 300, published: 300, again: 70, ahead: 20 };
  await core.tick(worker, [on]);
  await core.tick(worker, [on]);
  await apply(300);
  expect(await progress()).toEqual({ eventsPublished: 300, handled: 300, eventsDone: 230, percent: 57.5 });

  const { fencingToken } = second;
  const all = { read: 500, published: 480, quarantined: 0, again: 80, verification: null };
  const complete = () =>
    completeLease(core.ctx, second.id, { ...all, fencingToken, markers: [{ partition: 0, offset: '0001' }] });
  await complete();
  await complete();
  await apply(480, '0001');
  expect(await progress()).toEqual({ eventsPublished: 480, handled: 480, eventsDone: 400, percent: 100 });
  await core.close();
});

test('and a retry counts it once as well', async () => {
  const { core, worker, id, claim, apply, progress } = await reading();
  const first = await claim();
  await core.tick(worker, [
    { lease: first, cursor: 'c100', read: 200, published: 180, ahead: 80, stopped: true },
  ]);
  const second = await claim();
  await core.tick(worker, [
    { lease: second, cursor: 'c200', read: 300, published: 300, again: 80, ahead: 20 },
  ]);
  // Ten more were published after the last report.
  await apply(310);
  const failure = { code: 'source_failed', detail: 'gone', address: null };
  await failLease(core.ctx, second.id, { fencingToken: second.fencingToken, failure, retriable: false });
  await core.run((work) => retryBackfill(core.ctx, work, operator, id));
  expect(await progress()).toEqual({ eventsPublished: 310, handled: 310, eventsDone: 220, percent: 55 });
  await core.close();
});

test('nor, in the end, what a worker had published after its last report when it was killed', async () => {
  const { core, worker, claim, apply, progress } = await reading();
  const first = await claim();
  await core.tick(worker, [{ lease: first, cursor: 'c100', read: 200, published: 180, ahead: 80 }]);
  await core.run((work) => endLeasesOf(core.ctx, work, [worker]));
  // Fifty more, of which nobody told.
  await apply(230);
  const second = await claim();
  const { fencingToken } = second;
  await completeLease(core.ctx, second.id, {
    ...{ fencingToken, read: 500, published: 480, again: 80, quarantined: 0, verification: null },
    markers: [{ partition: 0, offset: '0001' }],
  });
  await apply(520);
  expect(await progress()).toMatchObject({ handled: 520, eventsDone: 440 });
  await apply(530, '0001');
  expect(await progress()).toEqual({ eventsPublished: 530, handled: 530, eventsDone: 400, percent: 100 });
  await core.close();
});

test('nor is it forgotten where runs that are done are joined', async () => {
  const core = await openCore(database.url, { eventsPerHour: 20_000 });
  await core.forget();
  const [worker, applier] = [await core.join(), await core.join('apply')];
  const { id } = await core.start();
  await core.pass();
  const claim = async () => (await claimLeases(core.ctx, worker, { max: 8 })).leases;
  const east = `${core.pipelineId}-east`;
  const runs = { east: 0, west: 0 };
  let marker = 0;
  for (let leases = await claim(); leases.length > 0; leases = await claim())
    for (const { id: leaseId, fencingToken, sourceId } of leases) {
      const isLate = sourceId === east && runs.east > 0;
      runs[sourceId === east ? 'east' : 'west'] += 1;
      await completeLease(core.ctx, leaseId, {
        ...{ fencingToken, read: 100, quarantined: 0, verification: null },
        ...(isLate ? { published: 130, again: 30 } : { published: 100 }),
        markers: [{ partition: 0, offset: `${++marker}`.padStart(4, '0') }],
      });
    }
  expect(runs.east).toBeGreaterThan(1);
  const once = 100 * (runs.east + runs.west);
  const duplicate = 30 * (runs.east - 1);
  const counters = [{ backfillId: id, applied: once, duplicate, quarantined: 0 }];
  await core.tick(applier, [], appliedUpTo(core, '9999', counters));
  const done = async () => (await readBackfill(core.ctx, operator, id)).progress.eventsDone;
  expect(await done()).toBe(once);

  for (const { id: leaseId, fencingToken, sourceId } of await claim())
    await completeLease(core.ctx, leaseId, {
      ...{ fencingToken, read: 0, published: 0, quarantined: 0, markers: [] },
      verification: { ...matched, ...(sourceId === east ? {} : { state: 'mismatched' }), mismatches: [] },
    });
  await core.run((work) => retryBackfill(core.ctx, work, operator, id));
  // West is read from its beginning.
  expect(await done()).toBe(100 * runs.east);
  await core.close();
});
