/** Which workers may join, and which of them a backfill that asks for isolation is read by. */
import type { StartBackfill } from '@spillway/shared/api/backfill';
import { protocolVersion } from '@spillway/shared/api/worker-protocol';
import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { workers } from '../../src/control-plane/database/schema.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import { listWorkers } from '../../src/control-plane/workers/membership.ts';
import { version } from '../../src/version.ts';
import { appliedUpTo, type Core, matched, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let core: Core;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());
beforeEach(async () => {
  core = await openCore(database.url, { sourceIds: ['west'], maxSourcesReplaying: 1 });
});
afterEach(async () => {
  await core.forget();
  await core.close();
});

const passes = (count = 3) => core.pass(count);
const start = async (body: Partial<StartBackfill> = {}) => (await core.start(body)).id;
const look = async (id: string) => {
  const { state, effective } = await readBackfill(core.ctx, operator, id);
  const why = effective.ceilings.find(({ reason }) => reason === effective.binding)?.detail;
  return { state, binding: effective.binding, why };
};
const claimedBy = async (worker: string) => (await claimLeases(core.ctx, worker, { max: 8 })).leases;
const waitsForIsolated = {
  binding: 'no_worker',
  why: 'it asks for isolated workers, and no replay worker tagged isolated has reported in the last seconds',
};

test('a backfill that asks for isolated workers waits for one, in nobody’s way, and says so', async () => {
  const open = await core.join();
  const shy = await start({ isolated: true });
  await passes();
  expect(await look(shy)).toEqual({ state: 'queued', ...waitsForIsolated });
  // The only slot is for those that can run.
  const other = await start();
  await passes();
  expect(await look(other)).toMatchObject({ state: 'running', binding: 'share' });
  expect(await claimedBy(open)).toMatchObject([{ backfillId: other }]);
});

test('it runs and is proved on isolated workers alone, whoever else is idle', async () => {
  const open = await core.join();
  const isolated = await core.join('replay', { tags: ['isolated'] });
  const id = await start({ isolated: true, limits: { concurrency: 1 } });
  await passes();
  expect(await look(id)).toMatchObject({ state: 'running', binding: 'share' });
  expect(await claimedBy(open)).toEqual([]);

  // What was given back is no more anybody else's than what is new.
  const [first] = await claimedBy(isolated);
  await core.tick(isolated, [{ lease: first!, stopped: true }]);
  expect(await claimedBy(open)).toEqual([]);
  const [lease] = await claimedBy(isolated);
  expect(lease).toMatchObject({ backfillId: id, attempt: 2 });
  await completeLease(core.ctx, lease!.id, {
    fencingToken: lease!.fencingToken,
    read: 400,
    published: 400,
    quarantined: 0,
    markers: [{ partition: 0, offset: '400' }],
    verification: null,
  });
  await core.tick(await core.join('apply'), [], appliedUpTo(core, '400'));
  await passes();
  expect(await look(id)).toMatchObject({ state: 'verifying', binding: null });
  expect(await claimedBy(open)).toEqual([]);

  core.forward(11_000);
  await core.tick(open);
  await passes();
  expect(await look(id)).toEqual({ state: 'verifying', ...waitsForIsolated });
  await core.tick(isolated);
  await passes();
  const [proof] = await claimedBy(isolated);
  expect(proof).toMatchObject({ kind: 'verify', backfillId: id });
  await completeLease(core.ctx, proof!.id, {
    fencingToken: proof!.fencingToken,
    read: 0,
    published: 0,
    quarantined: 0,
    markers: [],
    verification: { ...matched, mismatches: [] },
  });
  expect(await look(id)).toMatchObject({ state: 'completed' });
});

test('an isolated worker reads for everybody, and is listed with what it is good for', async () => {
  const isolated = await core.join('replay', { tags: ['isolated'], leasesMax: 2 });
  const id = await start();
  await passes();
  expect(await claimedBy(isolated)).toMatchObject([{ backfillId: id }]);
  await core.join('apply');
  const { items } = await listWorkers(core.ctx, {});
  expect(items.map(({ role, tags, leases, leasesMax }) => ({ role, tags, leases, leasesMax }))).toEqual(
    expect.arrayContaining([
      { role: 'replay', tags: ['isolated'], leases: 1, leasesMax: 2 },
      { role: 'apply', tags: [], leases: 0, leasesMax: null },
    ]),
  );
});

const otherVersion = {
  code: 'version_mismatch',
  message: `This worker is Spillway 0.0.7, the api is ${version}: start a worker of version ${version}.`,
};
const otherProtocol = {
  code: 'version_mismatch',
  message: `This worker speaks version 2 of the worker protocol, the api ${protocolVersion}: start a worker of version ${version}.`,
};

test('a worker of another version, or of another protocol, is refused with both versions', async () => {
  await expect(core.join('replay', { version: '0.0.7' })).rejects.toMatchObject(otherVersion);
  await expect(core.join('replay', { protocolVersion: 2 })).rejects.toMatchObject(otherProtocol);
  expect(await listWorkers(core.ctx, {})).toMatchObject({ items: [] });
});

test.each<[string, Partial<typeof workers.$inferInsert>, object | null]>([
  ['goes on', {}, null],
  ['of another version is refused', { version: '0.0.7' }, otherVersion],
  ['of another protocol is refused, though of the same version', { protocolVersion: 2 }, otherProtocol],
  ['whose protocol was not kept has to join again', { protocolVersion: null }, { code: 'not_found' }],
])('a worker that had joined before the api was started anew and %s', async (_, joinedAs, refusal) => {
  const worker = await core.join();
  await core.ctx.database
    .update(workers)
    .set({ version, ...joinedAs })
    .where(eq(workers.id, worker));
  const restarted = await openCore(database.url);
  const ask = [() => restarted.tick(worker), () => claimLeases(restarted.ctx, worker, { max: 8 })];
  for (const asked of ask)
    if (refusal === null) await asked();
    else await expect(asked()).rejects.toMatchObject(refusal);
  await restarted.close();
});
