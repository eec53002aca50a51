import { gzipSync } from 'node:zlib';
import type { ReportStatistics } from '@spillway/shared/api/worker-protocol';
import { routeConsequence } from '@spillway/shared/governor/route';
import { desc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackfill } from '../../src/control-plane/backfill/start.ts';
import type { Actor, StoreView } from '../../src/control-plane/context.ts';
import { unitOfWork } from '../../src/control-plane/database/database.ts';
import { audit, backfills, lanes, sources } from '../../src/control-plane/database/schema.ts';
import { configurePipeline } from '../../src/control-plane/pipelines/configure.ts';
import { readPipeline } from '../../src/control-plane/pipelines/queries.ts';
import { workerPipelines } from '../../src/control-plane/pipelines/worker-view.ts';
import { readBuckets, readCoverage, readSource } from '../../src/control-plane/sources/queries.ts';
import { createStatistics } from '../../src/control-plane/sources/statistics.ts';
import { newWorkerId } from '../../src/control-plane/workers/worker-id.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { emptyApply, quietTick } from '../fixtures/ticks.ts';

const HOUR_MS = 3_600_000;
const begin = Date.UTC(2001, 0, 1);
const admin: Actor = { name: 'ada', role: 'admin', address: '127.0.0.1', origin: 'operator' };

let engine: ControlDatabase;
let control: ControlApp;
const asked: Parameters<StoreView['coverage']>[0][] = [];
let storeDown = false;
const bucket = { sourceId: 'east', key: 'ATL', count: 1, sum: '1', min: 1, max: 1, hash: '1', version: 1 };

beforeAll(async () => {
  engine = await startControlDatabase();
  control = await startControlApp(engine.url, {
    store: {
      buckets: async () => {
        if (storeDown) throw new Error('connection refused');
        return [0, 1, 2].map((hour) => ({ ...bucket, start: begin + hour * HOUR_MS }));
      },
      coverage: async (request) => {
        asked.push(request);
        return [{ start: begin, stored: 40 }];
      },
      watermarks: async () => ({}),
      quarantine: async () => [],
    },
  });
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await engine?.end();
});

/** One event a minute for two hours, in two laps of two hours. */
function statistics(change: Partial<ReportStatistics> = {}): ReportStatistics {
  const counts = gzipSync(Buffer.from(new Uint32Array(130).fill(1).buffer)).toString('base64');
  const laps = { spanMs: 2 * HOUR_MS, laps: 2 };
  return {
    sourceId: 'east',
    fingerprint: 'f1',
    rowsQuarantined: 3,
    from: begin,
    to: begin + 4 * HOUR_MS,
    countFrom: begin,
    stepMs: 60_000,
    counts,
    laps,
    failure: null,
    ...change,
  };
}

describe('statistics', () => {
  test('are unknown until counted, exact then, and still there after a restart', async () => {
    const { ctx } = control;
    const hour = { from: begin, to: begin + HOUR_MS };
    expect(ctx.statistics.expectedEvents('east', hour)).toBe(null);
    expect(await readSource(ctx, admin, 'east')).toMatchObject({ events: null, statistics: null });
    await ctx.statistics.record(statistics());
    expect(ctx.statistics.expectedEvents('east', hour)).toBe(60);
    const restarted = createStatistics(ctx);
    await restarted.load();
    for (const made of [ctx.statistics, restarted]) {
      // Ten minutes of the first lap reach into the second; what reaches past the last lap is not given out.
      expect(made.expectedEvents('east', { from: begin + 2 * HOUR_MS, to: begin + 3 * HOUR_MS })).toBe(70);
      expect(made.expectedEvents('east', { from: begin, to: begin + 100 * HOUR_MS })).toBe(250);
      expect(made.expectedEvents('east', { from: begin - HOUR_MS, to: begin })).toBe(0);
      expect(made.expectedEvents('west', hour)).toBe(null);
    }
    expect(await readSource(ctx, admin, 'east')).toMatchObject({
      events: 250,
      state: 'connected',
      statistics: { step: 'PT1M', fingerprint: 'f1', rowsQuarantined: 3 },
    });
  });

  test('count the minutes in which a history begins and ends whole, where they are inside', async () => {
    const { ctx } = control;
    const [first, last] = [begin + 59_999, begin + 129 * 60_000];
    await ctx.statistics.record(statistics({ from: first, to: last + 1, laps: null }));
    expect(ctx.statistics.expectedEvents('east', { from: first, to: last + 1 })).toBe(130);
    expect(ctx.statistics.expectedEvents('east', { from: begin, to: begin + HOUR_MS })).toBe(60);
    expect(ctx.statistics.expectedEvents('east', { from: last + 1, to: last + HOUR_MS })).toBe(0);
    expect(ctx.statistics.eventRange('east', { from: first, to: last + 1 })).toEqual({
      low: 130,
      likely: 130,
      high: 130,
    });
    await ctx.statistics.record(statistics());
  });

  test.each([
    ['no gzip', { counts: Buffer.from('garbage').toString('base64') }],
    ['a broken number', { counts: gzipSync(Buffer.alloc(7)).toString('base64') }],
    ['a lap of no length', { laps: { spanMs: 0, laps: 2 } }],
    ['a step of no length', { stepMs: 0 }],
  ])('%s is refused, and nothing changes', async (_what, change) => {
    await expect(control.ctx.statistics.record(statistics(change))).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(control.ctx.statistics.expectedEvents('east', { from: begin, to: begin + HOUR_MS })).toBe(60);
  });

  test('a source that failed shows why, and is counted again although its content is the same', async () => {
    const { ctx } = control;
    const failure = { code: 'source_missing', detail: 'no file', address: null };
    await ctx.statistics.record(statistics({ failure }));
    expect(await readSource(ctx, admin, 'east')).toMatchObject({ state: 'failed', failure });
    const east = async () =>
      (await workerPipelines(ctx))[0]?.sources.find(({ sourceId }) => sourceId === 'east');
    expect((await east())?.fingerprint).toBe(null);
    await ctx.statistics.record(statistics());
    expect((await east())?.fingerprint).toBe('f1');
    expect(await readSource(ctx, admin, 'east')).toMatchObject({ state: 'connected', failure: null });
  });

  test.each([
    ['none', { rowsQuarantined: 0 }, 0, 'f1'],
    // As of an installation that did not count them; there is nothing to be had from an estimate by asking again.
    ['unknown, so that it is counted again', { rowsQuarantined: undefined }, null, null],
    ['unknown of an estimate', { rowsQuarantined: undefined, estimated: true }, null, 'f1'],
  ])('rows that are no events are %s', async (_what, { rowsQuarantined, ...change }, told, fingerprint) => {
    const { rowsQuarantined: _, ...others } = statistics(change);
    await control.ctx.statistics.record({
      ...others,
      ...(rowsQuarantined === undefined ? {} : { rowsQuarantined }),
    });
    const source = await readSource(control.ctx, admin, 'east');
    expect(source.statistics).toMatchObject({ fingerprint: 'f1', rowsQuarantined: told });
    const [pipeline] = await workerPipelines(control.ctx);
    expect(pipeline?.sources.find(({ sourceId }) => sourceId === 'east')?.fingerprint).toBe(fingerprint);
    await control.ctx.statistics.record(statistics());
  });
});

describe('coverage', () => {
  const read = (query: { from: string; to: string; step: string; source?: string[] }) =>
    readCoverage(control.ctx, 'flights', query);

  test('has a step for each stretch, from the step that holds the beginning', async () => {
    const { items } = await read({
      from: '2001-01-01T00:30:00Z',
      to: '2001-01-01T02:30:00Z',
      step: 'PT1H',
      source: ['east'],
    });
    expect(items).toEqual([
      { start: '2001-01-01T00:00:00.000Z', expected: 60, stored: 40 },
      { start: '2001-01-01T01:00:00.000Z', expected: 60, stored: 0 },
      { start: '2001-01-01T02:00:00.000Z', expected: 70, stored: 0 },
    ]);
    expect(asked.at(-1)).toEqual({
      sourceIds: ['east'],
      range: { from: begin, to: begin + 3 * HOUR_MS },
      stepMs: HOUR_MS,
    });
  });

  test('is of the sources that are counted, and names the others: what is missing of the former is seen', async () => {
    const all = { from: '2001-01-01T00:00:00Z', to: '2001-01-01T01:00:00Z', step: 'PT1H' };
    const { items, sources } = await read(all);
    expect(items).toMatchObject([{ expected: 60, stored: 40 }]);
    expect(sources).toEqual({ asked: 2, uncounted: ['west'] });
    expect(asked.at(-1)?.sourceIds).toEqual(['east']);
    expect((await read({ ...all, source: ['east'] })).sources).toEqual({ asked: 1, uncounted: [] });
    expect(await read({ ...all, source: ['west', 'east'] })).toEqual(await read(all));
  });

  test('where none is counted, what is stored is of all, and what is expected is unknown', async () => {
    const { items, sources } = await read({
      from: '2001-01-01T00:00:00Z',
      to: '2001-01-01T01:00:00Z',
      step: 'PT1H',
      source: ['west'],
    });
    expect(items).toMatchObject([{ expected: null, stored: 40 }]);
    expect(sources).toEqual({ asked: 1, uncounted: ['west'] });
    expect(asked.at(-1)?.sourceIds).toEqual(['west']);
  });

  test.each([
    ['a source of another pipeline', { source: ['east', 'elsewhere'] }, 'unknown_source'],
    ['a step below the bucket width', { step: 'PT30M' }, 'invalid_request'],
    ['a step that is no multiple of it', { step: 'PT90M' }, 'invalid_request'],
    ['a step of nothing', { step: 'PT0S' }, 'invalid_request'],
    ['a step beyond the calendar', { step: 'P104000000D', from: '1969-01-01T00:00:00Z' }, 'invalid_request'],
    ['5,001 steps', { to: new Date(begin + 5_001 * HOUR_MS).toISOString() }, 'invalid_request'],
    ['a range that ends before it begins', { to: '2000-01-01T00:00:00Z' }, 'invalid_window'],
  ])('%s is refused', async (_what, change, code) => {
    await expect(
      read({ from: '2001-01-01T00:00:00Z', to: '2001-01-02T00:00:00Z', step: 'PT1H', ...change }),
    ).rejects.toMatchObject({ code });
  });

  test('5,000 steps are answered', async () => {
    const { items } = await read({
      from: '2001-01-01T00:00:00Z',
      to: new Date(begin + 5_000 * HOUR_MS).toISOString(),
      step: 'PT1H',
      source: ['east'],
    });
    expect(items).toHaveLength(5_000);
  });
});

describe('buckets', () => {
  test('are final behind the watermark where a completed backfill covers them, and not while another is unfinished', async () => {
    const { ctx } = control;
    const query = { from: '2001-01-01T00:00:00Z', to: '2001-01-01T03:00:00Z' };
    const finals = async () => (await readBuckets(ctx, 'flights', query)).items.map(({ final }) => final);
    expect(await finals()).toEqual([false, false, false]);
    const window = { from: '2001-01-01T00:00:00Z', to: '2001-01-01T02:00:00Z' };
    const { id } = await unitOfWork(ctx.database, (work) =>
      startBackfill(ctx, work, admin, { pipelineId: 'flights', sourceIds: ['east'], window }),
    );
    const watermarks = { east: begin + 10 * HOUR_MS, west: begin + 10 * HOUR_MS };
    ctx.telemetry.observeTick('wk_apply_1', 'apply', { ...quietTick, apply: { ...emptyApply, watermarks } });
    expect(await finals()).toEqual([false, false, false]);
    await ctx.database
      .update(backfills)
      .set({ state: 'completed', startedAt: new Date(), endedAt: new Date(), verificationState: 'matched' })
      .where(eq(backfills.id, id));
    expect(await finals()).toEqual([true, true, false]);
    await unitOfWork(ctx.database, (work) =>
      startBackfill(ctx, work, admin, {
        pipelineId: 'flights',
        sourceIds: ['east'],
        window: { from: '2001-01-01T01:00:00Z', to: '2001-01-01T03:00:00Z' },
      }),
    );
    expect(await finals()).toEqual([true, false, false]);
    expect(await ctx.database.select().from(lanes)).toHaveLength(2);
  });

  test('of a store that does not answer are unavailable, not missing', async () => {
    storeDown = true;
    await expect(
      readBuckets(control.ctx, 'flights', { from: '2001-01-01T00:00:00Z', to: '2001-01-01T03:00:00Z' }),
    ).rejects.toMatchObject({ code: 'unavailable' });
    storeDown = false;
  });
});

describe('configuring a pipeline', () => {
  const configure = (patch: Parameters<typeof configurePipeline>[4], revision: number) =>
    unitOfWork(control.ctx.database, (work) =>
      configurePipeline(control.ctx, work, admin, 'flights', patch, revision),
    );

  test('leaves its mark in the audit, tells the workers, and raises the revision', async () => {
    const { ctx } = control;
    const { revision } = await readPipeline(ctx, admin, 'flights');
    const pushed: unknown[] = [];
    const unsubscribe = ctx.workers.subscribe(newWorkerId('replay'), (push) => pushed.push(push));
    const after = await configure({ capacityEventsPerSecond: 20_000, highWaterMark: 5_000 }, revision);
    unsubscribe();
    expect(after).toMatchObject({
      revision: revision + 1,
      highWaterMark: 5_000,
      capacity: { eventsPerSecond: 20_000, origin: 'set_by_hand' },
    });
    const [row] = await ctx.database.select().from(audit).orderBy(desc(audit.sequence)).limit(1);
    expect(row).toMatchObject({
      actor: 'ada',
      action: 'pipeline.configure',
      target: 'flights',
      before: { highWaterMark: 20_000, capacityEventsPerSecond: 10_000 },
      after: { highWaterMark: 5_000, capacityEventsPerSecond: 20_000 },
    });
    expect(pushed).toMatchObject([
      { type: 'settings', pipeline: { pipelineId: 'flights', highWaterMark: 5_000, calibrate: true } },
    ]);
  });

  test('a floor above the share is refused, whichever of the two is changed', async () => {
    const { ctx } = control;
    const revision = async () => (await readPipeline(ctx, admin, 'flights')).revision;
    const refused = { code: 'invalid_request' };
    await expect(configure({ replayFloor: 0.6 }, await revision())).rejects.toMatchObject({
      ...refused,
      errors: [{ pointer: '/replayFloor' }],
    });
    await configure({ replayFloor: 0.3 }, await revision());
    await expect(configure({ replayShare: 0.2 }, await revision())).rejects.toMatchObject({
      ...refused,
      errors: [{ pointer: '/replayShare' }],
    });
    await expect(configure({ replayShare: 0.2, replayFloor: 0.25 }, await revision())).rejects.toMatchObject({
      ...refused,
      errors: [{ pointer: '/replayFloor' }],
    });
    expect(await configure({ replayShare: 0.2, replayFloor: 0.2 }, await revision())).toMatchObject({
      replayShare: 0.2,
      replayFloor: 0.2,
    });
    await configure({ replayShare: 0.5, replayFloor: 0.02 }, await revision());
  });

  test('signals keep the targets that are not named; one without a target is only shown', async () => {
    const { ctx } = control;
    const target = (value: number | null) => ({ target: value, failMode: 'bad' as const });
    const { revision } = await readPipeline(ctx, admin, 'flights');
    await configure({ signals: { liveFreshnessMsP99: target(80), deadRows: target(1_000) } }, revision);
    const after = await configure({ signals: { deadRows: target(null) }, headroom: 0.2 }, revision + 1);
    expect(after).toMatchObject({
      headroom: 0.2,
      signals: { liveFreshnessMsP99: target(80), deadRows: target(null) },
    });
    const [view] = await workerPipelines(ctx);
    expect(view).toMatchObject({ freshnessTargetMs: 80, route: 'separate' });
    expect(view?.floorEventsPerSecond).toBeCloseTo(0.02 * (after.capacity.eventsPerSecond ?? 0));
    const [row] = await ctx.database.select().from(audit).orderBy(desc(audit.sequence)).limit(1);
    expect(row).toMatchObject({
      before: { headroom: 0.1, signals: { deadRows: target(1_000) } },
      after: { headroom: 0.2, signals: { deadRows: target(null) } },
    });
  });

  test('the route stays while a backfill is not finished, and its decision is recorded', async () => {
    const { ctx } = control;
    const { revision } = await readPipeline(ctx, admin, 'flights');
    const route = { kind: 'shared' as const, decision: 'One stream is all the broker allows.' };
    // One of the cases above left a backfill queued.
    expect(await ctx.database.$count(backfills, eq(backfills.state, 'queued'))).toBe(1);
    await expect(configure({ route }, revision)).rejects.toMatchObject({
      code: 'backfills_unfinished',
      status: 409,
      errors: [{ pointer: '/route' }],
    });
    // The same route for another reason is only another reason.
    const reasoned = await configure({ route: { kind: 'separate', decision: 'As measured.' } }, revision);
    expect(reasoned.route).toEqual({
      kind: 'separate',
      decision: 'As measured.',
      consequence: routeConsequence('separate', 80),
    });
    await ctx.database
      .update(backfills)
      .set({ state: 'cancelled', endedAt: new Date() })
      .where(eq(backfills.state, 'queued'));
    // Where live cannot be served first, the decision says so.
    expect((await configure({ route }, revision + 1)).route).toEqual({
      ...route,
      consequence: expect.stringMatching(/nobody can serve it first.*within 80 ms.*older than 20 ms/),
    });
    expect((await workerPipelines(ctx))[0]?.route).toBe('shared');
    const [row] = await ctx.database.select().from(audit).orderBy(desc(audit.sequence)).limit(1);
    expect(row).toMatchObject({
      before: { route: 'separate', routeDecision: 'As measured.' },
      after: { route: 'shared', routeDecision: 'One stream is all the broker allows.' },
    });
    await configure({ route: { kind: 'separate', decision: 'for the test' } }, revision + 2);
  });

  test.each([
    [
      'a target below nothing',
      { signals: { liveFreshnessMsP99: { target: -5, failMode: 'bad' } } },
      '/signals/liveFreshnessMsP99/target',
    ],
    ['a signal nobody measures', { signals: { mood: { target: 5, failMode: 'bad' } } }, '/signals/mood'],
    ['a share above everything', { replayShare: 1.5 }, '/replayShare'],
    ['a share below nothing', { replayShare: -0.1 }, '/replayShare'],
    ['a floor below nothing', { replayFloor: -0.1 }, '/replayFloor'],
    ['a headroom below nothing', { headroom: -0.1 }, '/headroom'],
    ['a mark below a batch', { highWaterMark: 999 }, '/highWaterMark'],
    ['a route without a decision', { route: { kind: 'shared' } }, '/route/decision'],
  ])('%s is refused over HTTP, with its place', async (_what, body, pointer) => {
    const etag = String((await control.ask(adminToken, 'GET', '/v1/pipelines/flights')).headers.etag);
    const answer = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
      body,
      headers: { 'if-match': etag },
    });
    expect([400, 422]).toContain(answer.statusCode);
    expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  test('of an older revision changes nothing and shows what it is now', async () => {
    const { ctx } = control;
    const before = await readPipeline(ctx, admin, 'flights');
    const marks = await ctx.database.$count(audit);
    await expect(configure({ replayShare: 0.9 }, before.revision - 1)).rejects.toMatchObject({
      code: 'stale_revision',
    });
    expect(await readPipeline(ctx, admin, 'flights')).toEqual(before);
    expect(await ctx.database.$count(audit)).toBe(marks);
  });

  test('of two with the same revision one is stale', async () => {
    const { revision } = await readPipeline(control.ctx, admin, 'flights');
    const ends = await Promise.allSettled(
      [0.3, 0.4, 0.6].map((replayShare) => configure({ replayShare }, revision)),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await readPipeline(control.ctx, admin, 'flights')).revision).toBe(revision + 1);
  });

  test('a capacity that is taken back is measured again', async () => {
    const { ctx } = control;
    const { revision } = await readPipeline(ctx, admin, 'flights');
    expect(await configure({ capacityEventsPerSecond: null }, revision)).toMatchObject({
      capacity: { eventsPerSecond: null, origin: 'unknown' },
    });
    expect((await workerPipelines(ctx))[0]?.calibrate).toBe(true);
  });

  test('over HTTP needs If-Match, the right one', async () => {
    const answer = await control.ask(adminToken, 'GET', '/v1/pipelines/flights');
    const etag = String(answer.headers.etag);
    const patch = (headers: Record<string, string>) =>
      control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', { body: { replayShare: 0.25 }, headers });
    expect((await patch({})).statusCode).toBe(428);
    const unreachable = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
      body: { signals: { cacheHitRatio: { target: 1.5, failMode: 'bad' } } },
      headers: { 'if-match': etag },
    });
    expect(unreachable.statusCode).toBe(400);
    expect(unreachable.json()).toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/signals/cacheHitRatio/target' }],
    });
    const changed = await patch({ 'if-match': etag });
    expect(changed.statusCode).toBe(200);
    const stale = await patch({ 'if-match': etag });
    expect(stale.statusCode).toBe(412);
    expect(stale.json()).toMatchObject({
      code: 'stale_revision',
      current: { replayShare: 0.25, revision: changed.json().revision },
    });
    expect(await control.ctx.database.select().from(sources)).toHaveLength(2);
  });
});
