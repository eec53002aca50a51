/** Outages over REST: gaps, what the feed says of them, and the backfills that are queued for them. */

import type { Backfill } from '@spillway/shared/api/backfill';
import type { WorkerPush } from '@spillway/shared/api/worker-protocol';
import { protocolVersion } from '@spillway/shared/api/worker-protocol';
import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfills, gaps, lanes, pipelines, sources } from '../../src/control-plane/database/schema.ts';
import { queueReconnects } from '../../src/control-plane/sources/reconnect.ts';
import { version } from '../../src/version.ts';
import {
  adminToken,
  type ControlApp,
  seedPipeline,
  startControlApp,
  workerToken,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { emptyApply, quietTick } from '../fixtures/ticks.ts';

const MINUTE_MS = 60_000;
const june = Date.UTC(2001, 5, 1);
const at = (minutes: number) => new Date(june + minutes * MINUTE_MS).toISOString();

let engine: ControlDatabase;
let control: ControlApp;
let feed: string;
let operatorToken: string;
let sequence = 0;
const pushed: WorkerPush[] = [];
/** Starts of the buckets that the store answers with. */
const stored: number[] = [];
const bucket = { key: 'SFO', count: 1, sum: '1', min: 1, max: 1, hash: '1', version: 1 };

beforeAll(async () => {
  engine = await startControlDatabase();
  control = await startControlApp(engine.url, {
    store: {
      buckets: async ({ sourceIds }) =>
        stored.map((start) => ({ ...bucket, start, sourceId: sourceIds[0] as string })),
      coverage: async () => [],
      watermarks: async () => ({}),
      quarantine: async () => [],
    },
  });
  await seedPipeline(control.ctx);
  const range = { rangeFrom: Date.UTC(2001, 0, 1), rangeTo: Date.UTC(2002, 0, 1) };
  await control.ctx.database.update(sources).set(range);
  // A pipeline whose feed is somebody else's.
  await control.ctx.database.execute(`
    insert into pipelines (id, title, replay_share, max_sources_replaying, high_water_mark, bucket_ms, allowed_lateness_ms, event_retention_ms, route_decision, live_stream, replay_stream)
    values ('meters', 'Meters', 0.5, 2, 20000, 3600000, 0, 86400000, 'test', 'meters-live', 'meters-replay')`);
  await control.ctx.database.insert(sources).values({
    id: 'meter',
    pipelineId: 'meters',
    title: 'Meter',
    connector: 'parquet',
    config: {},
    ...range,
  });
  operatorToken = await control.tokenFor('operator');
  const joined = await control.ask(workerToken, 'POST', '/v1/workers', {
    body: { role: 'feed', protocolVersion, pid: 1, host: 'here', version },
  });
  feed = joined.json().workerId;
  control.ctx.workers.subscribe(feed, (push) => pushed.push(push));
});
afterAll(async () => {
  await control?.close();
  await engine?.end();
});
beforeEach(async () => {
  const { database } = control.ctx;
  await database.delete(gaps);
  await database.delete(lanes);
  await database.delete(backfills);
  await database.update(sources).set({ disconnectedAt: null, state: 'connected', failure: null });
  pushed.length = 0;
  await tick(600, []);
});

const report = (source: string, what: 'disconnected' | 'reconnected', body: object = {}, headers = {}) =>
  control.ask(operatorToken, 'POST', `/v1/sources/${source}/${what}`, { body, headers });

interface Outage {
  outageId: string;
  sourceId: string;
  from: number;
  to: number | null;
}
/** The feed's, which has reached that many minutes of June. */
async function tick(minutes: number, outages: Outage[]): Promise<void> {
  sequence += 1;
  const answer = await control.ask(workerToken, 'POST', `/v1/workers/${feed}/ticks`, {
    body: {
      sequence,
      leases: [],
      quarantined: [],
      replay: null,
      apply: null,
      feed: { eventsPublished: 1, eventTime: june + minutes * MINUTE_MS, outages },
      rssBytes: 1,
      cpuMs: 1,
    },
  });
  expect(answer.statusCode, answer.body).toBe(200);
}
const told = () => pushed.filter((push) => push.type === 'settings').at(-1)?.pipeline.outages;
const gapsOf = (sourceId: string) =>
  control.ctx.database
    .select()
    .from(gaps)
    .where(eq(gaps.sourceId, sourceId))
    .orderBy(asc(gaps.disconnectedAt));
const open = async (sourceId: string) => {
  const found = (await gapsOf(sourceId)).at(-1);
  if (found === undefined) throw new Error(`no gap of ${sourceId}`);
  return found;
};
const queued = async (): Promise<Backfill[]> =>
  (await control.ask(adminToken, 'GET', '/v1/backfills')).json().items;
const auditOf = async (target: string) =>
  (await control.ask(adminToken, 'GET', `/v1/audit?target=${target}&limit=200`)).json().items as {
    action: string;
    reason: string | null;
  }[];

/** One outage of the demo, as its feed tells it. */
async function outage(sourceId: string, from: number, to: number): Promise<void> {
  expect((await report(sourceId, 'disconnected')).statusCode).toBe(200);
  const { id: outageId } = await open(sourceId);
  expect((await report(sourceId, 'reconnected')).statusCode).toBe(200);
  await tick(to, [{ outageId, sourceId, from: june + from * MINUTE_MS, to: june + to * MINUTE_MS }]);
}

describe('an outage', () => {
  test('opens where the feed was heard of last, is known exactly once it has told, and ends by its word', async () => {
    const cut = await report('west', 'disconnected', { reason: 'line is down' });
    expect(cut.statusCode, cut.body).toBe(200);
    expect(cut.json()).toMatchObject({
      id: 'west',
      state: 'disconnected',
      disconnectedAt: at(600),
      allowedActions: ['reconnect'],
    });
    const { id: outageId } = await open('west');
    expect(told()).toEqual([{ outageId, sourceId: 'west', ended: false }]);

    await tick(640, [{ outageId, sourceId: 'west', from: june + 602 * MINUTE_MS, to: null }]);
    const west = await control.ask(operatorToken, 'GET', '/v1/sources/west');
    expect(west.json().disconnectedAt).toBe(at(602));
    // What a killed feed says later may only widen it.
    await tick(650, [{ outageId, sourceId: 'west', from: june + 610 * MINUTE_MS, to: null }]);
    expect((await open('west')).gapFrom).toBe(june + 602 * MINUTE_MS);

    const back = await report('west', 'reconnected');
    expect(back.json()).toMatchObject({
      state: 'connected',
      disconnectedAt: null,
      allowedActions: ['disconnect'],
    });
    expect(told()).toEqual([{ outageId, sourceId: 'west', ended: true }]);
    // The feed has not heard of it yet.
    await tick(660, [{ outageId, sourceId: 'west', from: june + 602 * MINUTE_MS, to: null }]);
    expect((await open('west')).gapTo).toBe(null);
    expect(await queueReconnects(control.ctx, () => 0)).toBe(false);
    await tick(661, [
      { outageId, sourceId: 'west', from: june + 610 * MINUTE_MS, to: june + 660 * MINUTE_MS + 1 },
    ]);
    expect(await open('west')).toMatchObject({
      gapFrom: june + 602 * MINUTE_MS,
      gapTo: june + 660 * MINUTE_MS + 1,
    });
    expect(told()).toEqual([]);
    const [reconnect, disconnect] = await auditOf('west');
    expect(reconnect).toMatchObject({ action: 'source.reconnect', reason: null });
    expect(disconnect).toMatchObject({ action: 'source.disconnect', reason: 'line is down' });
    const telemetry = await control.ask(adminToken, 'GET', '/v1/pipelines/flights/telemetry');
    expect(telemetry.json().markers).toMatchObject([
      { action: 'source.disconnect', detail: 'west: line is down', backfillId: null },
      { action: 'source.reconnect', detail: 'west' },
    ]);
  });

  test('a feed that does not answer is told again', async () => {
    await report('west', 'disconnected');
    pushed.length = 0;
    await tick(640, []);
    expect(told()).toMatchObject([{ sourceId: 'west', ended: false }]);
  });

  test('is refused when it is so already, with the state and what can be done', async () => {
    expect((await report('west', 'reconnected')).json()).toMatchObject({
      status: 409,
      code: 'source_state',
      state: 'connected',
      allowedActions: ['disconnect'],
    });
    const both = await Promise.all([report('west', 'disconnected'), report('west', 'disconnected')]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
    expect(both.find(({ statusCode }) => statusCode === 409)?.json()).toMatchObject({
      code: 'source_state',
      state: 'disconnected',
      allowedActions: ['reconnect'],
    });
    expect(await gapsOf('west')).toHaveLength(1);
    expect((await report('nowhere', 'disconnected')).json().code).toBe('unknown_source');
  });

  test('the same key is answered with the first answer', async () => {
    const headers = { 'idempotency-key': `cut-${Date.now()}` };
    const first = await report('west', 'disconnected', {}, headers);
    const second = await report('west', 'disconnected', {}, headers);
    expect(second.statusCode).toBe(200);
    expect(second.json()).toEqual(first.json());
    expect(await gapsOf('west')).toHaveLength(1);
  });

  test.each([
    ['ahead of the feed', 'disconnected', { at: at(601) }],
    ['ahead of the feed', 'reconnected', { at: at(601) }],
    ['before the outage', 'reconnected', { at: at(499) }],
  ] as const)('%s: %s is refused with a pointer', async (_what, what, body) => {
    if (what === 'reconnected') await report('west', 'disconnected', { at: at(500) });
    const refused = await report('west', what, body);
    expect(refused.json()).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ pointer: '/at' }],
    });
    expect((await gapsOf('west')).filter(({ reconnectedAt }) => reconnectedAt !== null)).toEqual([]);
  });

  test.each([
    ['no time', { at: 'yesterday' }],
    ['no text', { reason: 7 }],
    ['unknown', { since: at(1) }],
  ])('a body with what is %s is refused', async (_what, body) => {
    expect((await report('west', 'disconnected', body)).statusCode).toBe(400);
  });

  test('what the operator says of its beginning is kept, and what the feed left out besides', async () => {
    await report('west', 'disconnected', { at: at(500) });
    const { id: outageId } = await open('west');
    await report('west', 'reconnected', { at: at(510) });
    await tick(620, [
      { outageId, sourceId: 'west', from: june + 601 * MINUTE_MS, to: june + 610 * MINUTE_MS },
    ]);
    expect(await open('west')).toMatchObject({
      gapFrom: june + 500 * MINUTE_MS,
      gapTo: june + 610 * MINUTE_MS,
    });
  });

  test('a source whose history cannot be read can be out as well, and comes back failed', async () => {
    const failure = { code: 'source_missing', detail: 'no file', address: null };
    await control.ctx.database
      .update(sources)
      .set({ state: 'failed', failure })
      .where(eq(sources.id, 'west'));
    expect((await report('west', 'disconnected')).json()).toMatchObject({
      state: 'failed',
      disconnectedAt: at(600),
      allowedActions: ['reconnect'],
    });
    expect((await report('west', 'reconnected')).json()).toMatchObject({
      state: 'failed',
      disconnectedAt: null,
    });
  });
});

describe('finality', () => {
  const HOUR_MS = 60 * MINUTE_MS;
  const bucketHours = [8, 9, 10, 11, 12];
  /** Which hours of west are final. */
  const finalHours = async (sourceId = 'west'): Promise<number[]> => {
    const answer = await control.ask(
      adminToken,
      'GET',
      `/v1/pipelines/flights/buckets?from=${at(0)}&to=${at(1_440)}&source=${sourceId}`,
    );
    expect(answer.statusCode, answer.body).toBe(200);
    return answer
      .json()
      .items.filter(({ final }: { final: boolean }) => final)
      .map(({ start }: { start: string }) => (Date.parse(start) - june) / HOUR_MS);
  };
  const live = (watermarks: Record<string, number>) =>
    control.ctx.telemetry.observeTick('wk_apply', 'apply', {
      ...quietTick,
      apply: {
        ...emptyApply,
        watermarks: Object.fromEntries(
          Object.entries(watermarks).map(([id, minutes]) => [id, june + minutes * MINUTE_MS]),
        ),
      },
    });
  const ended = (state: 'completed' | 'failed') =>
    control.ctx.database
      .update(backfills)
      .set({ state, startedAt: new Date(), endedAt: new Date(), verificationState: 'matched' });

  beforeEach(() => {
    stored.splice(0, stored.length, ...bucketHours.map((hour) => june + hour * HOUR_MS));
  });

  test('an open gap, one whose extent is unknown and one that is not filled keep its buckets open; those of others are final', async () => {
    live({ west: 605, east: 605 });
    expect(await finalHours()).toEqual([8, 9]);
    await report('west', 'disconnected');
    const { id: outageId } = await open('west');
    live({ west: 605, east: 780 });
    expect(await finalHours('east')).toEqual(bucketHours);
    expect(await finalHours()).toEqual([8, 9]);
    const { liveWatermark } = (await control.ask(adminToken, 'GET', '/v1/pipelines/flights')).json();
    expect(liveWatermark).toBe(at(780));

    await report('west', 'reconnected');
    expect(await finalHours('east')).toEqual(bucketHours);
    expect(await finalHours()).toEqual([8, 9]);
    await tick(790, [
      { outageId, sourceId: 'west', from: june + 610 * MINUTE_MS, to: june + 690 * MINUTE_MS },
    ]);
    // Nothing of west is expected from before 11:30 now; of east nothing from before 13:00.
    expect(await finalHours('east')).toEqual([8, 9, 10]);
    live({ west: 785, east: 785 });
    expect(await finalHours()).toEqual([8, 9, 12]);

    await queueReconnects(control.ctx, () => 0);
    expect(await finalHours()).toEqual([8, 9, 12]);
    await ended('failed');
    expect(await finalHours()).toEqual([8, 9, 12]);
    await ended('completed');
    expect(await finalHours()).toEqual(bucketHours);
  });

  test('with every source out, what was final stays so', async () => {
    live({ west: 725, east: 785 });
    const before = await finalHours('east');
    expect(before).toEqual([8, 9, 10, 11]);
    await tick(785, []);
    await report('west', 'disconnected');
    await report('east', 'disconnected');
    expect(await finalHours('east')).toEqual(before);
  });
});

describe('the reconnect queue', () => {
  test('a gap gets a backfill, with the reason in words, after a part of the stagger', async () => {
    await outage('west', 600, 700.5);
    const beganMs = Date.now();
    expect(await queueReconnects(control.ctx, () => 0.5)).toBe(true);
    const [backfill, ...others] = await queued();
    expect(others).toEqual([]);
    expect(backfill).toMatchObject({
      sourceIds: ['west'],
      window: { from: at(600), to: at(701) },
      subwindow: 'PT1H',
      origin: 'reconnect',
      state: 'queued',
      limits: { eventsPerSecond: null, share: null },
      createdBy: 'spillway',
      reason: `west was disconnected from ${at(600)} to ${at(701)}.`,
    });
    const waitMs = Date.parse(backfill?.notBefore as string) - beganMs;
    expect(waitMs).toBeGreaterThan(2_000);
    expect(waitMs).toBeLessThan(4_000);
    expect((await open('west')).backfillId).toBe(backfill?.id);
    expect(await queueReconnects(control.ctx)).toBe(false);
    expect(await queued()).toHaveLength(1);
  });

  test('sources that come back together wait for a part of the stagger each, drawn for each', async () => {
    for (const source of ['west', 'east']) await outage(source, 600, 610);
    const drawn = [0.2, 0.8];
    await queueReconnects(control.ctx, () => drawn.shift() ?? 0);
    const [early = 0, late = 0, ...others] = (await queued())
      .map(({ notBefore }) => Date.parse(notBefore as string))
      .toSorted();
    expect(others).toEqual([]);
    // Three fifths of five seconds, but for what the one took to be queued.
    expect(late - early).toBeGreaterThan(2_000);
  });

  test('ten outages in a row make one, which is extended and not put off', async () => {
    await control.ctx.database.update(pipelines).set({ reconnectStaggerMs: 3_600_000 });
    await outage('west', 600, 610);
    await queueReconnects(control.ctx, () => 0.5);
    const [first] = await queued();
    for (let flap = 1; flap < 10; flap++) {
      await outage('west', 600 + flap * 20, 610 + flap * 20);
      if (flap % 3 === 0) await queueReconnects(control.ctx, () => 0.99);
    }
    await queueReconnects(control.ctx, () => 0.99);
    const [backfill, ...others] = await queued();
    expect(others).toEqual([]);
    expect(backfill).toMatchObject({
      id: first?.id,
      notBefore: first?.notBefore,
      window: { from: at(600), to: at(790) },
      subwindow: 'PT1H',
      reason: `west was disconnected 10 times from ${at(600)} to ${at(790)}.`,
    });
    expect(backfill?.progress.subwindowsTotal).toBe(4);
    expect(backfill?.revision).toBe((first?.revision ?? 0) + 3);
    expect((await gapsOf('west')).map(({ backfillId }) => backfillId)).toEqual(Array(10).fill(first?.id));
    const extended = (await auditOf(first?.id as string)).filter(
      ({ action }) => action === 'backfill.extend',
    );
    expect(extended).toHaveLength(3);
    await control.ctx.database.update(pipelines).set({ reconnectStaggerMs: 5_000 });
  });

  test.each([
    ['has a slot', { slotHeld: true }, {}],
    ['has handed something out', { nextIndex: 1 }, {}],
    ['was started and failed', {}, { startedAt: new Date() }],
    ['was cancelled', {}, { state: 'cancelled' as const, endedAt: new Date() }],
  ])('one that %s is not extended: a further gap is queued anew', async (_what, lane, row) => {
    await outage('west', 600, 610);
    await queueReconnects(control.ctx, () => 0);
    const [first] = await queued();
    await control.ctx.database.update(lanes).set({ slotHeld: false, ...lane });
    await control.ctx.database.update(backfills).set({ priority: 0, ...row });
    await outage('west', 605, 650);
    await queueReconnects(control.ctx, () => 0);
    expect((await queued()).map(({ window }) => window)).toEqual([
      { from: at(605), to: at(650) },
      { from: at(600), to: at(610) },
    ]);
    expect((await gapsOf('west')).map(({ backfillId }) => backfillId === first?.id)).toEqual([true, false]);
  });

  test('an outage that left nothing out needs none, and the audit says so', async () => {
    await outage('west', 600, 600);
    expect(await queueReconnects(control.ctx)).toBe(false);
    expect(await queued()).toEqual([]);
    expect((await auditOf('west'))[0]).toMatchObject({
      action: 'source.gap_empty',
      reason: 'Nothing was left out of live: no backfill is needed.',
    });
  });

  test('a gap that an api left without a backfill is found by the next, once', async () => {
    await control.ctx.database.insert(gaps).values({
      id: 'gap_left',
      sourceId: 'east',
      gapFrom: june,
      fromKnown: true,
      gapTo: june + MINUTE_MS,
      disconnectedBy: 'ada',
      reconnectedBy: 'ada',
      reconnectedAt: new Date(),
    });
    expect([await queueReconnects(control.ctx), await queueReconnects(control.ctx)]).toEqual([true, false]);
    expect((await queued()).map(({ sourceIds }) => sourceIds)).toEqual([['east']]);
  });

  test('a feed of somebody else is believed by its times; the window is what history holds', async () => {
    await report('meter', 'disconnected', { at: '2000-12-30T00:00:00Z' });
    expect(await queueReconnects(control.ctx)).toBe(false);
    await report('meter', 'reconnected', { at: '2001-01-02T00:00:00Z' });
    expect(await queueReconnects(control.ctx)).toBe(true);
    expect(await queued()).toMatchObject([
      { sourceIds: ['meter'], window: { from: '2001-01-01T00:00:00.000Z', to: '2001-01-02T00:00:00.000Z' } },
    ]);
  });

  test('a gap that no history holds stays open to be filled, and holds up no other', async () => {
    await report('meter', 'disconnected');
    await report('meter', 'reconnected');
    await outage('west', 600, 610);
    expect(await queueReconnects(control.ctx)).toBe(true);
    expect((await queued()).map(({ sourceIds }) => sourceIds)).toEqual([['west']]);
    expect(control.logged.some((line) => line.includes('a gap cannot be filled'))).toBe(true);
    await control.ctx.database
      .update(sources)
      .set({ rangeTo: Date.UTC(2100, 0, 1) })
      .where(eq(sources.id, 'meter'));
    expect(await queueReconnects(control.ctx)).toBe(false);
    control.clock.forward(61_000);
    expect(await queueReconnects(control.ctx)).toBe(true);
    expect((await queued()).map(({ sourceIds }) => sourceIds)).toEqual([['meter'], ['west']]);
  });
});
