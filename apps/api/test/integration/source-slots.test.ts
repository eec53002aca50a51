/** The slots of a pipeline: who has one, who gives it up, and what those are told that wait. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../../src/control-plane/backfill/brake.ts';
import { pauseBackfill } from '../../src/control-plane/backfill/pause.ts';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { resumeBackfill } from '../../src/control-plane/backfill/resume.ts';
import { gaps } from '../../src/control-plane/database/schema.ts';
import { queueReconnects } from '../../src/control-plane/sources/reconnect.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { type Core, midnight, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

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
const look = async (id: string) => {
  const { state, effective } = await readBackfill(core.ctx, operator, id);
  const waits = effective.ceilings.find(({ reason }) => reason === 'hold')?.detail;
  return { state, binding: effective.binding, waits };
};
const waiting = 'waits for a source slot of the pipeline';

test('a paused backfill lets the next one run; resumed, it waits for its slot and is told who has it', async () => {
  const worker = await core.join();
  const { id: first } = await core.start();
  const { id: second } = await core.start();
  await passes();
  expect(await look(second)).toEqual({
    state: 'queued',
    binding: 'hold',
    waits: `${waiting}: ${first} holds the only one`,
  });
  const { leases } = await claimLeases(core.ctx, worker, { max: 1 });
  await core.run((work) => pauseBackfill(core.ctx, work, operator, first));
  await passes();
  // Its worker has not stopped yet: it keeps the slot.
  expect(await look(first)).toMatchObject({ state: 'pausing' });
  expect(await look(second)).toMatchObject({ state: 'queued' });
  await core.tick(
    worker,
    leases.map((lease) => ({ lease, read: 5, published: 5, stopped: true })),
  );
  await passes();
  expect(await look(first)).toMatchObject({ state: 'paused' });
  expect(await look(second)).toMatchObject({ state: 'running', waits: 'no hold' });

  await core.run((work) => resumeBackfill(core.ctx, work, operator, first));
  await passes();
  expect(await look(first)).toEqual({
    state: 'running',
    binding: 'hold',
    waits: `${waiting}: ${second} holds the only one`,
  });
  const { leases: others } = await claimLeases(core.ctx, worker, { max: 4 });
  expect(new Set(others.map(({ backfillId }) => backfillId))).toEqual(new Set([second]));

  // And has it again, with what it had published, when the other stops.
  await core.run((work) => pauseBackfill(core.ctx, work, operator, second));
  await core.tick(
    worker,
    others.map((lease) => ({ lease, stopped: true })),
  );
  await passes();
  expect(await look(first)).toMatchObject({ state: 'running', waits: 'no hold' });
  const { leases: again } = await claimLeases(core.ctx, worker, { max: 1 });
  expect(again).toMatchObject([{ backfillId: first, published: 5 }]);
});

test('a brake gives the slots back to those who had them', async () => {
  await core.join();
  const { id: first } = await core.start();
  const { id: second } = await core.start();
  await passes();
  await core.run((work) => pauseReplay(core.ctx, work, operator, core.pipelineId));
  await passes();
  expect([await look(first), await look(second)]).toMatchObject([{ state: 'paused' }, { state: 'queued' }]);
  await core.run((work) => resumeReplay(core.ctx, work, operator, core.pipelineId));
  await passes();
  expect([await look(first), await look(second)]).toMatchObject([
    { state: 'running', waits: 'no hold' },
    { state: 'queued', waits: `${waiting}: ${first} holds the only one` },
  ]);
});

const gap = (id: string, from: number) => ({
  id,
  sourceId: `${core.pipelineId}-west`,
  gapFrom: from,
  fromKnown: true,
  gapTo: from + MINUTE_MS,
  disconnectedBy: 'ada',
  reconnectedBy: 'ada',
  reconnectedAt: new Date(),
});

test('many gaps at once are queued over some passes, so that no grant waits for all of them', async () => {
  await core.ctx.database
    .insert(gaps)
    .values(Array.from({ length: 20 }, (_, day) => gap(`gap-${day}`, midnight + day * DAY_MS)));
  const queued: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    await queueReconnects(core.ctx, () => 0);
    const { rows } = await core.ctx.database.execute<{ queued: number }>(
      'select count(*)::int as queued from backfills',
    );
    queued.push(rows[0]?.queued ?? 0);
  }
  expect(queued).toEqual([16, 20, 20]);
});

test('gaps of one source that lie far apart are filled one after the other', async () => {
  await core.close();
  core = await openCore(database.url, {
    sourceIds: ['west'],
    maxSourcesReplaying: 4,
    pipeline: { reconnectStaggerMs: 0 },
  });
  await core.ctx.database.insert(gaps).values([gap('gap-1', midnight), gap('gap-2', midnight + 30 * DAY_MS)]);
  await core.join();
  await passes();
  const { rows } = await core.ctx.database.execute<{ id: string; state: string; minutes: number }>(
    'select id, state, (window_to - window_from)::float8 / 60000 as minutes from backfills order by ordinal',
  );
  expect(rows).toMatchObject([
    { state: 'running', minutes: 1 },
    { state: 'queued', minutes: 1 },
  ]);
  const [first, second] = rows;
  expect((await look(second?.id ?? '')).waits).toBe(
    `waits for ${first?.id}, which fills another gap of ${core.pipelineId}-west`,
  );
});
