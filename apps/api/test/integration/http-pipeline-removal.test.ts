/** Removing a pipeline over REST: what keeps it, what goes, what stays readable as proof, and who has forgotten it. */
import type { WorkerPush } from '@spillway/shared/api/worker-protocol';
import { pricePresets } from '@spillway/shared/cost/presets';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor, Change } from '../../src/control-plane/context.ts';
import { coefficientsOf } from '../../src/control-plane/cost/finished-runs.ts';
import { meterBook } from '../../src/control-plane/cost/meter-book.ts';
import { recordOfUsage } from '../../src/control-plane/cost/metered-cost.ts';
import { recordUsage } from '../../src/control-plane/cost/record-usage.ts';
import { unitOfWork } from '../../src/control-plane/database/database.ts';
import {
  alerts,
  drills,
  finishedRuns,
  gaps,
  meters,
  pipelines,
  positions,
  probes,
  quotes,
  sources,
  telemetry,
} from '../../src/control-plane/database/schema.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import { tellSettings } from '../../src/control-plane/pipelines/push-settings.ts';
import { removePipeline } from '../../src/control-plane/pipelines/remove.ts';
import { seedDemo } from '../../src/control-plane/sources/demo.ts';
import type { TelemetryRecorder } from '../../src/control-plane/telemetry/recorder.ts';
import { requireSameIdentities } from '../../src/control-plane/workers/identities.ts';
import { newWorkerId } from '../../src/control-plane/workers/worker-id.ts';
import {
  adminToken,
  type ControlApp,
  january,
  seedPipeline,
  startControlApp,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;
const changes: Change[] = [];
beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url);
  control.ctx.changes.subscribe((change) => changes.push(change));
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});

const ask = (...[method, url, options]: DropFirst<Parameters<ControlApp['ask']>>) =>
  control.ask(adminToken, method, url, options);
type DropFirst<T extends unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;
const get = async (url: string) => (await ask('GET', url)).json();
const remove = (id: string, headers: Record<string, string> = {}) =>
  ask('DELETE', `/v1/pipelines/${id}`, { headers });
const lastAudit = async () => (await get('/v1/audit?limit=1')).items[0];

const orders = {
  id: 'orders',
  title: 'Orders',
  kind: 'external',
  external: { url: 'redis://user:canary@shop:6379/2', stream: 'orders', groups: ['counts'] },
  route: { kind: 'shared', decision: 'There is one stream.' },
  capacityEventsPerSecond: 1_000,
};
const ada: Actor = { name: 'ada', role: 'admin', address: null, origin: 'operator' };
const archive = {
  id: 'archive',
  title: 'Archive',
  pipelineId: 'orders',
  history: { kind: 'jsonl', path: '/srv/history/events', columns: { time: 't', key: 'k', value: 'v' } },
};
const lag = {
  ...{ title: 'Lag', kind: 'http_json', url: 'http://reader:canary@127.0.0.1:9/lag', pointer: '/lag' },
  ...{ target: 5, worseWhen: 'above', failMode: 'ignore', intervalMs: 60_000, timeoutMs: 1_000 },
};

/** With a source that holds the first week of 2001, and a probe. */
async function addOrders(): Promise<{ firstRevision: number; revision: number }> {
  const made = await ask('POST', '/v1/pipelines', { body: orders });
  expect(made.statusCode).toBe(201);
  expect((await ask('POST', '/v1/sources', { body: archive })).statusCode).toBe(201);
  expect((await ask('POST', '/v1/pipelines/orders/probes', { body: lag })).statusCode).toBe(201);
  await control.ctx.database
    .update(sources)
    .set({ rangeFrom: Date.UTC(2001, 0, 1), rangeTo: Date.UTC(2001, 0, 8) })
    .where(eq(sources.id, 'archive'));
  const priced = await ask('PATCH', '/v1/pipelines/orders', {
    body: { priceBook: pricePresets['example-cloud'] },
    headers: { 'if-match': String(made.headers['etag'] ?? `"${made.json().revision}"`) },
  });
  expect(priced.statusCode).toBe(200);
  return { firstRevision: made.json().revision, revision: priced.json().revision };
}

async function startOrders(): Promise<string> {
  const limits = { eventsPerSecond: 100 };
  const started = await ask('POST', '/v1/backfills', {
    body: { pipelineId: 'orders', window: january, limits },
  });
  expect(started.statusCode).toBe(201);
  return started.json().id;
}

const tellUse = (sequence: number) =>
  recordUsage(control.ctx, {
    usage: [
      {
        ...{ pipelineId: 'orders', series: 'us_1', sequence, ageMs: 0, arrived: false },
        ...{ own: [], shared: { cpuMs: String(5 * sequence) } },
      },
    ],
    apply: null,
  });

const end = async (id: string) =>
  (await ask('POST', `/v1/backfills/${id}/cancel`, { body: { reason: 'over' } })).json();

describe('an external pipeline', () => {
  let first: Awaited<ReturnType<typeof addOrders>>;
  let backfillId: string;
  let receiptId: string;
  let cost: unknown;
  let keptAs: string;
  const pushed: WorkerPush[] = [];

  test('stays while a backfill of it is not finished, which is named', async () => {
    first = await addOrders();
    backfillId = await startOrders();
    for (const state of ['queued', 'failed']) {
      await control.ctx.database.execute(
        sql`update backfills set state = ${state}, ended_at = ${state === 'failed' ? new Date() : null} where id = ${backfillId}`,
      );
      const refused = await remove('orders');
      expect(refused.json()).toMatchObject({ status: 409, code: 'backfills_unfinished' });
      expect(refused.json().detail).toContain(backfillId);
    }
    await control.ctx.database.execute(
      sql`update backfills set state = 'queued', ended_at = null where id = ${backfillId}`,
    );
    expect((await get('/v1/pipelines/orders')).allowedActions).toContain('remove');
    receiptId = (await end(backfillId)).id;
    await tellUse(1);
    ({ cost } = await get(`/v1/backfills/${backfillId}`));
    expect(cost).toMatchObject({ metered: expect.any(Object) });
  });

  test('stays while a drill of it is under way', async () => {
    const drill = { id: 'dr_1', pipelineId: 'orders', forMs: 1_000, startedBy: 'ada' };
    for (const state of ['stalling', 'recovering'] as const) {
      await control.ctx.database.insert(drills).values({ ...drill, state });
      expect((await remove('orders')).json()).toMatchObject({ status: 409, code: 'drill_running' });
      await control.ctx.database.delete(drills);
    }
  });

  test('is for admins', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const token = await control.tokenFor(role);
      expect((await control.ask(token, 'DELETE', '/v1/pipelines/orders')).statusCode).toBe(403);
      const seen = await control.ask(token, 'GET', '/v1/pipelines/orders');
      expect(seen.json().allowedActions).not.toContain('remove');
    }
  });

  test('is removed once for a key, and not found after that', async () => {
    const { ctx } = control;
    const workerId = newWorkerId('replay');
    ctx.workers.subscribe(workerId, (push) => pushed.push(push));
    await governorPass(ctx, ctx.telemetry as TelemetryRecorder);
    await (ctx.telemetry as TelemetryRecorder).beat();
    expect(ctx.telemetry.latest('orders')).not.toBe(null);
    expect((await ask('GET', '/metrics')).body).toContain('orders');
    await ctx.database
      .insert(alerts)
      .values({ id: 'al_1', pipelineId: 'orders', code: 'groups_unseen', severity: 'critical', detail: 'x' });
    await ctx.database
      .insert(telemetry)
      .values({ pipelineId: 'orders', stepSeconds: 60, at: new Date(), values: {} });
    await ctx.database.insert(positions).values({ stream: 'external.orders.1', position: '1-1' });
    expect(
      (
        await ask('POST', '/v1/quotes', {
          body: { pipelineId: 'orders', window: january, limits: { eventsPerSecond: 1 } },
        })
      ).statusCode,
    ).toBe(201);
    changes.length = 0;

    const answer = await remove('orders', { 'idempotency-key': 'k1' });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    const again = await remove('orders', { 'idempotency-key': 'k1' });
    expect([again.statusCode, again.body, again.headers['idempotency-replayed']]).toEqual([204, '', 'true']);
    expect((await remove('orders')).json()).toMatchObject({ status: 404, code: 'unknown_pipeline' });

    for (const [url, code] of [
      ['/v1/pipelines/orders', 'unknown_pipeline'],
      ['/v1/pipelines/orders/stages', 'unknown_pipeline'],
      ['/v1/pipelines/orders/probes', 'unknown_pipeline'],
      ['/v1/pipelines/orders/readiness', 'unknown_pipeline'],
      ['/v1/sources/archive', 'unknown_source'],
    ])
      expect((await ask('GET', String(url))).json()).toMatchObject({ status: 404, code });
    const start = await ask('POST', '/v1/backfills', { body: { pipelineId: 'orders', window: january } });
    expect(start.json()).toMatchObject({ status: 404, code: 'unknown_pipeline' });
    expect((await get('/v1/pipelines')).items).toEqual([]);
    expect((await get('/v1/sources')).items).toEqual([]);
    for (const table of [sources, probes, gaps, quotes, telemetry, positions])
      expect(await ctx.database.$count(table)).toBe(0);
  });

  test('is told of in the audit, with what it was and what it is kept as, and without what lets somebody in', async () => {
    const entry = await lastAudit();
    expect(entry).toMatchObject({
      action: 'pipeline.remove',
      target: 'orders',
      before: {
        title: 'Orders',
        external: { url: 'redis://shop:6379/2' },
        sources: [{ id: 'archive', title: 'Archive' }],
        probes: [{ title: 'Lag' }],
      },
    });
    keptAs = entry.after.keptAs;
    expect(keptAs).toBe(`orders~${first.revision + 1}`);
    expect(JSON.stringify(entry)).not.toContain('canary');
    expect((await get('/v1/audit/verify')).intact).toBe(true);
    const [row] = await control.ctx.database.select().from(pipelines);
    expect(JSON.stringify(row)).not.toContain('canary');
  });

  test('leaves its proof readable', async () => {
    expect(await get(`/v1/backfills/${backfillId}`)).toMatchObject({
      id: backfillId,
      pipelineId: keptAs,
      sourceIds: ['archive'],
      state: 'cancelled',
      progress: { eventsApplied: null },
      allowedActions: [],
      cost,
    });
    expect((await get(`/v1/backfills?pipelineId=${keptAs}`)).items).toHaveLength(1);
    expect(await get(`/v1/commands/${receiptId}`)).toMatchObject({ backfillId, verb: 'cancel' });
    for (const part of ['ledger', 'subwindows', 'subwindows/bins?bins=10'])
      expect((await ask('GET', `/v1/backfills/${backfillId}/${part}`)).statusCode).toBe(200);
    expect((await get(`/v1/audit?target=${backfillId}`)).items).not.toEqual([]);
  });

  test('is forgotten by whoever goes through pipelines', async () => {
    const { ctx } = control;
    expect(pushed).toContainEqual({ type: 'pipelines', pipelineIds: [] });
    expect(changes.map(({ event }) => event).toSorted()).toEqual(['alert', 'pipeline_removed']);
    const [cleared] = (await get(`/v1/alerts?pipelineId=${keptAs}`)).items;
    expect(cleared).toMatchObject({ id: 'al_1', clearedAt: expect.any(String) });
    expect([...governorMemory(ctx).looks.keys()]).toEqual([]);
    await governorPass(ctx, ctx.telemetry as TelemetryRecorder);
    await (ctx.telemetry as TelemetryRecorder).beat();
    expect([...governorMemory(ctx).looks.keys()]).toEqual([]);
    expect(ctx.telemetry.latest('orders')).toBe(null);
    expect(await ctx.database.$count(telemetry)).toBe(0);
    expect(ctx.probes.signals('orders')).toEqual([]);
    expect((await ask('GET', '/metrics')).body).not.toContain('orders');
  });

  test('is not metered any more, whatever a worker still tells of it', async () => {
    await tellUse(2);
    expect(meterBook(control.ctx).pipelineIds()).not.toContain('orders');
    expect(await control.ctx.database.$count(meters, eq(meters.pipelineId, 'orders'))).toBe(0);
    expect(control.logged.join()).not.toContain('not metered');
  });

  test('gives its name to another, which begins anew', async () => {
    const second = await addOrders();
    const { markers } = await get('/v1/pipelines/orders/timeline');
    const actions = markers.map(({ action }: { action: string }) => action);
    expect(actions.filter((action: string) => action.startsWith('pipeline.'))).toEqual([
      'pipeline.create',
      'pipeline.configure',
    ]);
    expect(second.firstRevision).toBeGreaterThan(first.revision + 1);
    expect((await get('/v1/backfills?pipelineId=orders')).items).toEqual([]);
    expect((await get('/v1/alerts?pipelineId=orders')).items).toEqual([]);
    const [row] = await control.ctx.database.select().from(pipelines).where(eq(pipelines.id, 'orders'));
    expect(row?.replayStream).toBe(`external.orders.${second.firstRevision}`);
    await end(await startOrders());
    expect((await remove('orders')).statusCode).toBe(204);
    const kept = (await get('/v1/backfills')).items.map(
      ({ pipelineId }: { pipelineId: string }) => pipelineId,
    );
    expect(new Set(kept).size).toBe(2);
  });
});

test('what was learned of it is not taken for what the next of its name costs', async () => {
  const { ctx } = control;
  const nothingLearned = await coefficientsOf(ctx, 'never');
  await addOrders();
  const backfillId = await startOrders();
  await ctx.database.insert(finishedRuns).values({
    ...{ backfillId, pipelineId: 'orders', finishedAt: new Date(), events: 100_000, longestPauseMs: null },
    ...{ usage: recordOfUsage({ total: { cpuMs: 7_000_000n }, absorbed: {}, apportioned: [] }) },
    ...{ seconds: 100, modelledSeconds: 100, modelledStreamByteMs: 1 },
  });
  expect(await coefficientsOf(ctx, 'orders')).not.toEqual(nothingLearned);
  await end(backfillId);
  expect((await remove('orders')).statusCode).toBe(204);
  await addOrders();
  expect(await coefficientsOf(ctx, 'orders')).toEqual(nothingLearned);
  expect((await remove('orders')).statusCode).toBe(204);
});

test('what a worker tells of it while it is removed is not metered, and nobody is told that something failed', async () => {
  const { ctx } = control;
  await addOrders();
  await tellUse(1);
  let telling: Promise<void> | undefined;
  await unitOfWork(ctx.database, async (work) => {
    await removePipeline(ctx, work, ada, 'orders');
    telling = tellUse(2);
  });
  await telling;
  expect(meterBook(ctx).pipelineIds()).not.toContain('orders');
  expect(control.logged.join()).not.toContain('not metered');
});

test('whoever starts while it is removed finds it gone, or keeps it', async () => {
  await addOrders();
  const limits = { eventsPerSecond: 100 };
  const body = { pipelineId: 'orders', window: january, limits };
  const [removed, ...started] = await Promise.all([
    remove('orders'),
    ...Array.from({ length: 4 }, () => ask('POST', '/v1/backfills', { body })),
  ]);
  const codes = started.map(({ statusCode }) => statusCode);
  expect(removed.statusCode === 204 ? [404] : [201]).toEqual([...new Set(codes)]);
  for (const { id, state } of (await get('/v1/backfills')).items) if (state !== 'cancelled') await end(id);
  if (removed.statusCode !== 204) expect((await remove('orders')).statusCode).toBe(204);
});

describe('the demo', () => {
  const worker = {
    ...{ role: 'replay' as const, host: 'h', pid: 1 },
    identities: { store: { id: 'theirs', name: 'theirs' } },
  };

  test('binds an installation to its store until it is removed, with its feeds', async () => {
    await seedPipeline(control.ctx);
    await control.ctx.database
      .insert(gaps)
      .values({ id: 'gp_1', sourceId: 'east', gapFrom: 1, fromKnown: true, disconnectedBy: 'ada' });
    await expect(requireSameIdentities(control.ctx, worker)).rejects.toMatchObject({
      code: 'store_mismatch',
    });
    expect((await remove('flights')).statusCode).toBe(204);
    await requireSameIdentities(control.ctx, worker);
    expect((await get('/v1/sources')).items).toEqual([]);
  });

  test('is not made again at the next start', async () => {
    await seedDemo(control.ctx, { liveEventsPerSecond: 100 });
    expect((await get('/v1/pipelines')).items).toEqual([]);
    expect((await get('/v1/sources')).items).toEqual([]);
  });

  test('a worker that comes back is told what there is', async () => {
    const workerId = newWorkerId('feed');
    const told: WorkerPush[] = [];
    control.ctx.workers.subscribe(workerId, (push) => told.push(push));
    governorMemory(control.ctx).members.set(workerId, {
      ...{ role: 'feed', tags: [], leasesMax: null, lanes: null, standby: false, commitsSideBySide: false },
      ...{ sequence: 0, lastTickMs: 0, writtenMs: 0 },
    });
    await tellSettings(control.ctx, workerId);
    expect(told).toEqual([{ type: 'pipelines', pipelineIds: [] }]);
  });
});
