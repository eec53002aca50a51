/** A worker holds so many leases and no more: whoever may publish gets one, though another that may not holds them all. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import { throttleBackfill } from '../../src/control-plane/backfill/throttle.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { type Core, iso, midnight, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

const LEASES = 8;
const window = { from: iso(midnight), to: iso(midnight + 30 * 86_400_000) };

let database: ControlDatabase;
let core: Core;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());
beforeEach(async () => {
  core = await openCore(database.url, { sourceIds: ['east', 'west', 'central'] });
});
afterEach(async () => {
  await core.forget();
  await core.close();
});

const of = (...names: string[]) => names.map((name) => `${core.pipelineId}-${name}`);

/** Holds every lease of the only worker. */
async function holder(limits: object) {
  const worker = await core.join('replay', { leasesMax: LEASES });
  const { id } = await core.start({
    window,
    sourceIds: of('east', 'west'),
    limits: { concurrency: LEASES, ...limits },
  });
  await core.pass();
  const { leases } = await claimLeases(core.ctx, worker, { max: LEASES });
  expect(leases.map(({ backfillId }) => backfillId)).toEqual(Array.from({ length: LEASES }, () => id));
  await core.pass();
  core.pushed(worker);
  return { id, worker, leases };
}

const calledBack = (worker: string) =>
  new Set(
    core
      .pushed(worker)
      .flatMap((push) => (push.type === 'stop' && push.why === 'called_back' ? push.leaseIds : [])),
  );

/** Gives back what it is asked for, and claims what is free then. */
async function giveBack(worker: string, leases: Awaited<ReturnType<typeof holder>>['leases']) {
  const asked = calledBack(worker);
  const back = leases.filter(({ id }) => asked.has(id));
  await core.tick(
    worker,
    back.map((lease) => ({ lease, read: 5, published: 5, cursor: '5', stopped: true })),
  );
  await core.pass();
  return { back, claimed: (await claimLeases(core.ctx, worker, { max: back.length })).leases };
}

test('one without a rate gives up at once what another can use, and has it again when that one is done', async () => {
  const { id: held, worker, leases } = await holder({});
  const { id: urgent } = await core.start({
    window,
    sourceIds: of('central'),
    priority: 1,
    limits: { concurrency: 3 },
  });
  await core.pass();
  const { back, claimed } = await giveBack(worker, leases);
  expect(back).toHaveLength(3);
  expect(claimed.map(({ backfillId }) => backfillId)).toEqual([urgent, urgent, urgent]);
  // Nothing more is asked for.
  await core.pass(2);
  expect(calledBack(worker).size).toBe(0);

  await core.run((work) => cancelBackfill(core.ctx, work, operator, urgent));
  await core.tick(
    worker,
    claimed.map((lease) => ({ lease, stopped: true })),
  );
  await core.pass();
  const { leases: again } = await claimLeases(core.ctx, worker, { max: 3 });
  expect(again.map(({ id, cursor }) => [id, cursor]).toSorted()).toEqual(
    back.map(({ id }) => [id, '5']).toSorted(),
  );
  expect(again.every(({ backfillId }) => backfillId === held)).toBe(true);
});

test('one that was throttled to a trickle does not keep others waiting for longer than a few seconds', async () => {
  const { id: held, worker, leases } = await holder({ eventsPerSecond: 100 });
  await core.tick(
    worker,
    leases.map((lease) => ({ lease, read: 5, published: 5 })),
  );
  await core.run((work) => throttleBackfill(core.ctx, work, operator, held, { eventsPerSecond: 0.001 }, 1));
  const { id: other } = await core.start({
    window,
    sourceIds: of('central'),
    limits: { eventsPerSecond: 2_000, concurrency: 2 },
  });
  await core.pass(2);
  expect(calledBack(worker).size).toBe(0);
  core.forward(5_250);
  await core.tick(
    worker,
    leases.map((lease) => ({ lease })),
  );
  await core.pass();
  const { back, claimed } = await giveBack(worker, leases);
  expect(back).toHaveLength(2);
  expect(claimed.map(({ backfillId }) => backfillId)).toEqual([other, other]);
});
