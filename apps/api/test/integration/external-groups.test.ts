/** What the control plane makes of how the groups of an external pipeline stand: done, lost, or not to be looked at. */
import type { ExternalReport } from '@spillway/shared/api/external';
import type { Lease } from '@spillway/shared/api/worker-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pauseBackfill } from '../../src/control-plane/backfill/pause.ts';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { resumeBackfill } from '../../src/control-plane/backfill/resume.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { pipelines } from '../../src/control-plane/database/schema.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease, failLease } from '../../src/control-plane/workers/complete.ts';
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
const tell = (
  change: Partial<ExternalReport> = {},
  reports: Parameters<Core['tick']>[1] = [],
  teller = worker,
) =>
  core.tick(teller, reports, undefined, {
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
  for (const lease of leases) await complete(lease, offset, events);
}

const complete = (lease: Lease, offset: string, events = 400) =>
  completeLease(core.ctx, lease.id, {
    fencingToken: lease.fencingToken,
    read: events,
    published: events,
    quarantined: 0,
    markers: [{ partition: 0, offset }],
    verification: null,
  });

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
    const progress = async () => {
      const { eventsDone, eventsPublished, eventsExpected } = (await read(id)).progress;
      return { eventsDone, eventsPublished, eventsExpected };
    };
    // It is lost, and published again, twice.
    for (const nth of [1, 2]) {
      await core.run((work) => retryBackfill(core.ctx, work, operator, id, { reason: 'again' }));
      expect(await progress()).toEqual({ eventsDone: 0, eventsPublished: nth * 400, eventsExpected: 400 });
      await tell();
      await core.pass(2);
      const [lease] = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
      expect(lease).toMatchObject({ cursor: null, kind: 'replay', read: 0, published: 0 });
      await tell({}, [{ lease: lease as Lease, read: 100, published: 100, cursor: 'c1' }]);
      expect(await progress()).toMatchObject({ eventsDone: 100, eventsPublished: nth * 400 + 100 });
      await complete(lease as Lease, `000${nth + 5}`);
      expect(await progress()).toMatchObject({ eventsDone: 400, eventsPublished: nth * 400 + 400 });
      if (nth === 1) await tell({ lostEntries: 1 });
    }
    await tell({ position: '0007' });
    expect(await read(id)).toMatchObject({ state: 'completed', progress: { eventsDone: 400, percent: 100 } });
  });

  test('that was paused when its groups passed, or lost, the last of it ends when it goes on', async () => {
    await open();
    const pause = (id: string) =>
      core.run((work) => pauseBackfill(core.ctx, work, operator, id, { reason: 'a moment' }));
    const resume = (id: string) => core.run((work) => resumeBackfill(core.ctx, work, operator, id));
    const { id } = await core.start();
    await publish(id, '0005');
    await pause(id);
    await tell({ position: '0005' });
    expect(await read(id)).toMatchObject({ state: 'paused', progress: { percent: 100 } });
    await resume(id);
    await core.pass(2);
    expect((await read(id)).state).toBe('completed');

    const other = await core.start({ reason: 'another' });
    await publish(other.id, '0009');
    await pause(other.id);
    await tell({ position: '0009', lostEntries: 3 });
    expect((await read(other.id)).state).toBe('paused');
    await resume(other.id);
    await core.pass(2);
    expect(await read(other.id)).toMatchObject({ state: 'failed', failure: { code: 'gap' } });
  });

  test('under way when entries were lost gives its lease up, too', async () => {
    await open();
    const { id } = await core.start();
    await tell();
    await core.pass(2);
    const [lease] = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
    if (lease === undefined) throw new Error('no lease');
    const attempt = { lease, read: 100, published: 90, quarantined: 10, cursor: 'c1' };
    await tell({}, [attempt]);
    expect((await read(id)).progress.eventsQuarantined).toBe(10);
    await tell({ lostEntries: 1 }, [attempt]);
    // The next attempt meets these rows again.
    expect(await read(id)).toMatchObject({ state: 'failed', progress: { eventsQuarantined: 0 } });
    const answer = await tell({}, [{ lease, read: 120, published: 110, cursor: 'c2' }]);
    expect(answer.leases.map(({ verdict }) => verdict)).toEqual(['stale_fencing_token']);
  });

  test.each<[string, Partial<ExternalReport>]>([
    ['made anew or set back', { position: '0007', replaced: true }],
    ['removed', { position: null, problem: { code: 'stream_missing', detail: 'there is no stream' } }],
  ])('whose stream was %s fails as a gap, and begins anew', async (_what, change) => {
    await open();
    const { id } = await core.start();
    await publish(id, '0005');
    await tell(change);
    expect(await read(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'gap', detail: expect.stringContaining('removed, made anew or set back') },
    });
    // What was passed on the stream before is not passed on the one that is there now.
    await core.run((work) => retryBackfill(core.ctx, work, operator, id, { reason: 'again' }));
    await publish(id, '0004');
    await tell({ position: '0003' });
    expect((await read(id)).state).toBe('running');
    await tell({ position: '0004' });
    expect((await read(id)).state).toBe('completed');
  });

  test('whose stream one worker does not find loses nothing of what another sees there, until nobody has for a minute', async () => {
    await open();
    const astray = await core.join();
    const missing = { position: null, problem: { code: 'stream_missing', detail: 'there is no stream' } };
    const goAstray = () => tell(missing, [], astray);
    const { id } = await core.start();
    // As after a restart of the api: it is heard before the one that sees the stream.
    await goAstray();
    await publish(id, '0005');
    await tell({ position: '0004' });
    await goAstray();
    core.forward(59_000);
    await goAstray();
    expect((await read(id)).state).toBe('running');
    await tell({ position: '0004' });
    core.forward(59_000);
    await goAstray();
    await tell({ position: '0005' });
    expect((await read(id)).state).toBe('completed');

    const other = await core.start({ reason: 'another' });
    await publish(other.id, '0009');
    // Who cannot reach the server says nothing of what is there.
    core.forward(59_000);
    await tell({ position: null, problem: { code: 'stream_unavailable', detail: 'nothing listens there' } });
    core.forward(59_000);
    await goAstray();
    expect((await read(other.id)).state).toBe('running');
    core.forward(1_000);
    await goAstray();
    expect(await read(other.id)).toMatchObject({ state: 'failed', failure: { code: 'gap' } });
  });

  test('whose stream one worker does not reach while another sees it gives that one nothing, and it is known why', async () => {
    await open();
    const astray = await core.join();
    const newcomer = await core.join();
    const { id } = await core.start();
    const claims = async (by: string) =>
      (await claimLeases(core.ctx, by, { max: 8 })).leases.map((lease) => lease.backfillId);
    const known = () => governorMemory(core.ctx).looks.get(core.pipelineId)?.external;
    await tell();
    await tell({ problem: { code: 'stream_missing', detail: 'there is no stream' } }, [], astray);
    await core.pass(2);
    expect(await claims(astray)).toEqual([]);
    // It may be as far away: what it sees is known before anything fails.
    expect(await claims(newcomer)).toEqual([]);
    expect(known()).toEqual({
      unseen: null,
      astray: [{ workerId: astray, problem: 'there is no stream' }],
    });
    // Led there, it is one like the others.
    await tell({}, [], astray);
    await core.pass();
    expect(known()).toEqual({ unseen: null, astray: [] });
    expect(await claims(astray)).toEqual([id]);
  });

  test('whose stream the only isolated worker does not reach has none of them, as far as a backfill is concerned that asks for one', async () => {
    await open();
    const isolated = await core.join('replay', { tags: ['isolated'] });
    const { id } = await core.start({ isolated: true });
    await tell();
    await tell({}, [], isolated);
    await core.pass();
    expect((await read(id)).effective.binding).not.toBe('no_worker');
    await tell({ problem: { code: 'stream_missing', detail: 'there is no stream' } }, [], isolated);
    await core.pass();
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 0, binding: 'no_worker' });
  });

  test('whose stream nobody has seen lately goes to whoever asks: what is wrong there is to be said', async () => {
    await open();
    const { id } = await core.start();
    await tell();
    await core.pass(2);
    const newcomer = await core.join();
    core.forward(9_000);
    expect((await claimLeases(core.ctx, newcomer, { max: 8 })).leases).toEqual([]);
    core.forward(1_000);
    const { leases } = await claimLeases(core.ctx, newcomer, { max: 8 });
    expect(leases.map((lease) => lease.backfillId)).toEqual([id]);
  });

  test('that had failed of something else when its stream was lost publishes all anew that was not finished', async () => {
    await open();
    const { id } = await core.start();
    await tell();
    await core.pass(2);
    const [lease] = (await claimLeases(core.ctx, worker, { max: 8 })).leases;
    if (lease === undefined) throw new Error('no lease');
    await tell({}, [{ lease, read: 100, published: 90, cursor: 'c1' }]);
    await failLease(core.ctx, lease.id, {
      fencingToken: lease.fencingToken,
      failure: { code: 'stream_missing', detail: 'there is no stream', address: null },
      retriable: false,
    });
    expect(await read(id)).toMatchObject({ state: 'failed', failure: { code: 'stream_missing' } });
    await tell({ replaced: true });
    await core.run((work) => retryBackfill(core.ctx, work, operator, id, { reason: 'again' }));
    await tell();
    await core.pass(2);
    expect((await claimLeases(core.ctx, worker, { max: 8 })).leases).toMatchObject([{ cursor: null }]);
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

  test('goes by what one worker has counted while another is still counting', async () => {
    await open();
    const counting = await core.join();
    const { id } = await core.start({ limits: { eventsPerSecond: 1_000 } });
    const room = async () => {
      await core.pass(2);
      const { ceilings } = (await read(id)).effective;
      return ceilings.find(({ reason }) => reason === 'stream')?.detail;
    };
    await tell({ lagEntries: 900, length: 900 });
    const known = await room();
    expect(known).toMatch(/900/);
    await tell({ lagEntries: null, length: 900 }, [], counting);
    expect(await room()).toBe(known);
  });

  test('goes no faster than capacity less headroom, though live is not known', async () => {
    await open();
    const { id } = await core.start({ limits: { eventsPerSecond: 1_000_000 } });
    await tell();
    await core.pass(2);
    expect((await read(id)).effective).toMatchObject({ eventsPerSecond: 9_000, binding: 'live_first' });
  });
});

test('what a worker publishes is told apart by the stream it goes to', async () => {
  core = await openCore(database.url, { sourceIds: ['us'], stillClock: true, pipeline: { external } });
  worker = await core.join();
  stream = `${core.pipelineId}-replay`;
  const beside = `${core.pipelineId}-beside`;
  await core.ctx.database.insert(pipelines).values({
    id: beside,
    title: beside,
    replayShare: 0.5,
    maxSourcesReplaying: 1,
    highWaterMark: 1_000,
    bucketMs: 3_600_000,
    allowedLatenessMs: 0,
    eventRetentionMs: 1,
    routeDecision: 'for the test',
    liveStream: `${beside}-live`,
    replayStream: `${beside}-replay`,
  });
  await core.pass();
  const published = (events: number) =>
    core.tick(worker, [], undefined, {
      eventsPublished: events,
      published: [{ stream, events }],
      stage: { busyRatio: null, blockedRatio: null, idleRatio: null },
      gates: [],
      external: [report({ finishedEntries: events / 2 })],
    });
  await published(0);
  core.forward(1_000);
  await published(600);
  const { telemetry } = core.ctx;
  expect(telemetry.observation(core.pipelineId)).toMatchObject({
    replayPublishedEventsPerSecond: 600,
    replayAppliedEventsPerSecond: 300,
    livePublishedEventsPerSecond: null,
  });
  expect(telemetry.observation(beside)).toMatchObject({ replayPublishedEventsPerSecond: 0, external: null });
});

test('what lets somebody in there is told to replay workers alone', async () => {
  await open();
  const applier = await core.join('apply');
  const told = await readSettingsOf(core, { replay: worker, apply: applier });
  expect(told.replay).toMatchObject([{ pipelineId: core.pipelineId, external }]);
  expect(told.apply).toEqual([]);
});
