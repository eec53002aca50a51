/** Any past moment can be looked at: what was recorded comes back as it was, and what was not is refused, never made up. */

import type { TelemetryEvent } from '@spillway/shared/api/events';
import type { Moment, Moments, Timeline } from '@spillway/shared/api/past';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toAlert } from '../../src/control-plane/alerts/queries.ts';
import { alerts, audit, backfills, telemetry } from '../../src/control-plane/database/schema.ts';
import { startGovernor } from '../../src/control-plane/governor/loop.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import type { TelemetryRecorder } from '../../src/control-plane/telemetry/recorder.ts';
import {
  adminToken,
  type ControlApp,
  january,
  seedPipeline,
  startControlApp,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { until } from '../fixtures/started-process.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

let engine: ControlDatabase;
let control: ControlApp;
/** As the browsers saw each second. */
const seen: TelemetryEvent[] = [];

beforeAll(async () => {
  engine = await startControlDatabase();
  control = await startControlApp(engine.url);
  await seedPipeline(control.ctx);
  control.ctx.changes.subscribe((change) => {
    if (change.event === 'telemetry') seen.push(change.data);
  });
});
afterAll(async () => {
  await control?.close();
  await engine?.end();
});

const get = (path: string, token = adminToken) => control.ask(token, 'GET', `/v1/pipelines/flights/${path}`);
const iso = (ms: number) => new Date(ms).toISOString();
const momentAt = async (ms: number): Promise<Moment> => {
  const answer = await get(`moment?at=${iso(ms)}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json();
};
const refusal = async (path: string) => {
  const answer = await get(path);
  const { code, errors } = answer.json();
  return [answer.statusCode, code, errors?.[0]?.pointer];
};

/** One second in which the store answers, or has not answered for so long. */
async function second(silentMs = 0): Promise<number> {
  control.ctx.telemetry.observeTick('wk_apply_1', 'apply', {
    ...quietTick,
    apply: {
      ...emptyApply,
      stage: { busyRatio: 0.25, blockedRatio: silentMs > 0 ? 0.75 : 0, idleRatio: silentMs > 0 ? 0 : 0.75 },
      storeBusyRatio: silentMs > 0 ? 1 : 0.25,
      freshnessMsP99: 12,
      commitMsP99: 4,
      streams: [
        emptyStream('live', { lagMs: silentMs, lagEntries: silentMs / 10, length: silentMs / 10 }),
        emptyStream('replay'),
      ],
      store: { ...emptyApply.store, silentMs },
    },
  });
  await governorPass(control.ctx, control.ctx.telemetry);
  await (control.ctx.telemetry as TelemetryRecorder).beat();
  const at = seen.at(-1)?.at as number;
  control.clock.forward(1_000);
  return at;
}

let backfillId: string;
let calmAt: number;
let stalledAt: number;
let overAt: number;

test('nothing is recorded before the first second, and that is said', async () => {
  expect(await refusal(`moment?at=${iso(control.clock.now() - 5_000)}`)).toEqual([
    404,
    'moment_not_recorded',
    'at',
  ]);
  const { bins, recordedFrom } = (await get('timeline')).json() as Timeline;
  expect([bins, recordedFrom]).toEqual([[], null]);
});

test('a stall that is over is seen as it was: stages, governor, backfill, alert, and nothing to be done about it', async () => {
  const started = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body: {
      pipelineId: 'flights',
      window: january,
      limits: { eventsPerSecond: 500 },
      reason: 'for the test',
    },
  });
  expect(started.statusCode, started.body).toBe(201);
  backfillId = started.json().id;
  await second();
  calmAt = await second();

  await second(3_000);
  const [raised] = await control.ctx.database
    .insert(alerts)
    .values({
      id: 'al_stall',
      pipelineId: 'flights',
      code: 'store_stalled',
      severity: 'critical',
      detail: 'no answer for 3 s',
      raisedAt: new Date(control.clock.now() - 1_500),
    })
    .returning();
  control.ctx.changes.publish({
    event: 'alert',
    data: { alert: toAlert(raised as typeof alerts.$inferSelect) },
  });
  stalledAt = await second(4_000);
  // What an alert says follows what is measured: the last word is not what it said then.
  await control.ctx.database.update(alerts).set({
    detail: 'no answer for 9 s',
    past: 'there was no answer for 9 s',
    clearedAt: new Date(control.clock.now() + 500),
  });
  const { body } = await control.ask(adminToken, 'POST', `/v1/backfills/${backfillId}/pause`, { body: {} });
  expect(body).toContain('requestedAt');
  control.clock.forward(2_000);
  overAt = await second();

  const shown = seen.find(({ at }) => at === stalledAt) as TelemetryEvent;
  expect(shown.governor?.hardStop, 'the test has made a stall').not.toBe(null);
  const moment = await momentAt(stalledAt + 400);
  expect(moment).toMatchObject({
    at: stalledAt,
    step: 'PT1S',
    values: shown.values,
    stages: shown.stages,
    streams: shown.streams,
    replayPaused: false,
    backfillsLeftOut: 0,
  });
  expect(moment.governor?.hardStop).toBe(shown.governor?.hardStop);
  expect(moment.governor?.signals.map(({ name, value, verdict }) => [name, value, verdict])).toEqual(
    shown.governor?.signals.map(({ name, value, verdict }) => [name, value, verdict]),
  );
  expect(moment.alerts).toEqual([
    expect.objectContaining({ id: 'al_stall', detail: 'no answer for 3 s', clearedAt: null }),
  ]);
  expect(moment.backfills).toEqual([
    expect.objectContaining({ id: backfillId, reason: 'for the test', allowedActions: [] }),
  ]);
  expect(moment.backfills?.[0]?.state, 'not what it is now').not.toMatch(/paus/);
});

test('before and after it there is no stall, no alert, and the pause only after', async () => {
  const [calm, over] = [await momentAt(calmAt), await momentAt(overAt)];
  for (const { governor, alerts: raised } of [calm, over])
    expect([governor?.hardStop, raised]).toEqual([null, []]);
  expect(calm.backfills?.map(({ state }) => state)).not.toEqual(over.backfills?.map(({ state }) => state));
});

test('a viewer may look', async () => {
  expect((await get(`moment?at=${iso(stalledAt)}`, await control.tokenFor('viewer'))).statusCode).toBe(200);
});

test('neighbours come in one answer, in order, each once', async () => {
  const answer = await get(`moments?from=${iso(calmAt)}&to=${iso(overAt + 1)}`);
  const { step, items } = answer.json() as Moments;
  expect(step).toBe('PT1S');
  expect(items.map(({ at }) => at)).toEqual(seen.map(({ at }) => at).filter((at) => at >= calmAt));
  expect(items.find(({ at }) => at === stalledAt)).toEqual(await momentAt(stalledAt));
});

test('a second that was left out is told by the one before it, for five seconds and no longer', async () => {
  control.clock.forward(60_000);
  expect((await momentAt(overAt + 2_500)).at).toBe(overAt);
  expect(await refusal(`moment?at=${iso(overAt + 6_000)}`)).toEqual([404, 'moment_not_recorded', 'at']);
});

describe('what is refused', () => {
  test.each([
    ['no time', 'moment?at=yesterday', [400, 'invalid_request', 'at']],
    ['no moment named', 'moment', [400, 'invalid_request', 'at']],
    ['a day that there is not', 'moment?at=2026-02-31T00:00:00Z', [400, 'invalid_request', 'at']],
    ['the future', 'moment?at=2999-01-01T00:00:00Z', [422, 'moment_in_future', 'at']],
    [
      'long before anything was recorded',
      'moment?at=2001-01-01T00:00:00Z',
      [404, 'moment_not_recorded', 'at'],
    ],
    [
      'a range that ends before it begins',
      'moments?from=2020-01-01T00:00:01Z&to=2020-01-01T00:00:00Z',
      [422, 'invalid_window', 'to'],
    ],
    [
      'a range of the future',
      'moments?from=2999-01-01T00:00:00Z&to=2999-01-01T00:00:10Z',
      [422, 'moment_in_future', 'from'],
    ],
    [
      'more than a chunk',
      'moments?from=2020-01-01T00:00:00Z&to=2020-01-01T01:01:00Z',
      [400, 'invalid_request', 'to'],
    ],
    [
      'a chunk before anything was recorded',
      'moments?from=2020-01-01T00:00:00Z&to=2020-01-01T00:10:00Z',
      [404, 'moment_not_recorded', 'from'],
    ],
    ['a span that there is not', 'timeline?span=P1Y', [400, 'invalid_request', 'span']],
    ['a time bar of the future', 'timeline?to=2999-01-01T00:00:00Z', [422, 'moment_in_future', 'to']],
  ])('%s', async (_, path, expected) => {
    expect(await refusal(path)).toEqual(expected);
  });

  test('a pipeline that there is not', async () => {
    for (const path of [
      'moment?at=2020-01-01T00:00:00Z',
      'moments?from=2020-01-01T00:00:00Z&to=2020-01-01T00:00:10Z',
      'timeline',
    ])
      expect((await control.ask(adminToken, 'GET', `/v1/pipelines/nobody/${path}`)).json().code).toBe(
        'unknown_pipeline',
      );
  });
});

test('the time bar shows what was recorded, who did what, and what was wrong', async () => {
  // The ten-second step is rolled up by the next second.
  control.clock.forward(20_000);
  await second();
  const bar = (await get('timeline?span=PT1H')).json() as Timeline;
  expect(Date.parse(bar.recordedFrom as string)).toBeLessThanOrEqual(calmAt);
  expect(bar.bins.length).toBeGreaterThan(0);
  expect(
    Math.max(...bar.bins.map(({ liveFreshnessMsP99 }) => liveFreshnessMsP99 ?? 0)),
    'the worst of the bin',
  ).toBe(4_000);
  expect(bar.alerts).toMatchObject([{ id: 'al_stall', detail: 'there was no answer for 9 s' }]);
  expect(bar.markers.map(({ action }) => action)).toEqual(['backfill.start', 'backfill.pause']);
});

test('of many marks the time bar shows the newest, in order', async () => {
  const [last] = await control.ctx.database.select().from(audit).orderBy(audit.sequence);
  const rows = Array.from({ length: 501 }, (_, index) => ({
    ...(last as typeof audit.$inferSelect),
    sequence: 10_000 + index,
    at: new Date(control.clock.now() - 60_000),
    action: 'pipeline.configure',
    target: 'flights',
    reason: `number ${index}`,
    hash: `hash ${index}`,
  }));
  await control.ctx.database.insert(audit).values(rows);
  const { markers } = (await get('timeline')).json() as Timeline;
  expect(markers.map(({ detail }) => detail)).toEqual(rows.slice(1).map(({ reason }) => reason));
});

test('after an hour it is told with its step: rates are means, and the worst second speaks for the ten', async () => {
  const tens = (
    await get(`moments?from=${iso(calmAt - 10_000)}&to=${iso(overAt + 10_000)}`)
  ).json() as Moments;
  expect(tens.step).toBe('PT1S');
  control.clock.forward(3_600_000);
  const moment = await momentAt(stalledAt);
  expect(moment.step).toBe('PT10S');
  expect([moment.at % 10_000, moment.at <= stalledAt, moment.at > stalledAt - 10_000]).toEqual([
    0,
    true,
    true,
  ]);
  expect(moment.governor?.hardStop).toContain('4');
  expect(moment.values['liveFreshnessMsP99']).toBe(4_000);
  const busy = moment.stages?.stages.find(({ stage }) => stage === 'store')?.busyRatio as number;
  expect(busy, 'a mean of quiet and stalled seconds').toBeGreaterThan(0.25);
  expect(busy).toBeLessThan(1);
  expect(moment.alerts.map(({ id }) => id)).toEqual(['al_stall']);
});

test('a chunk of tens that begins within the hour is told in tens', async () => {
  const from = control.clock.now() - 3_520_000;
  await control.ctx.database.insert(telemetry).values({
    pipelineId: 'flights',
    stepSeconds: 10,
    at: new Date(Math.ceil(from / 10_000) * 10_000),
    values: { liveEventsPerSecond: 77 },
  });
  // As the time bar asks for a moment of 58 minutes ago: 30 steps, and one before them.
  const answer = await get(`moments?from=${iso(from)}&to=${iso(from + 310_000)}`);
  expect(answer.statusCode, answer.body).toBe(200);
  const { step, items } = answer.json() as Moments;
  expect([step, items.map(({ values }) => values)]).toEqual(['PT10S', [{ liveEventsPerSecond: 77 }]]);
});

test('what a backfill was warned of later is not told of a moment before', async () => {
  const { database } = control.ctx;
  const warning = { code: 'budget_near', detail: 'The budget is nearly spent.' };
  await database
    .update(backfills)
    .set({ warnings: [{ code: 'window_clipped', detail: 'from the start' }, warning] });
  const [was] = (await momentAt(stalledAt)).backfills ?? [];
  expect(was?.warnings.map(({ code }) => code)).toEqual(['window_clipped']);
});

test('metrics of stages and streams are told when they are asked for by name, and only then', async () => {
  const from = iso(calmAt - 60_000);
  const to = iso(overAt + 60_000);
  const all = (await get(`telemetry?from=${from}&to=${to}&step=PT10S`)).json();
  expect(Object.keys(all.series).filter((name) => name.includes('.'))).toEqual([]);
  expect(Object.keys(all.series)).toContain('liveEventsPerSecond');
  const some = (
    await get(`telemetry?from=${from}&to=${to}&step=PT10S&names=stage.store.busyRatio,liveLagMs,nothing.such`)
  ).json();
  expect(Object.keys(some.series)).toEqual(['stage.store.busyRatio', 'liveLagMs', 'nothing.such']);
  expect(some.series['nothing.such'].every(([, value]: [number, number | null]) => value === null)).toBe(
    true,
  );
  // What every object has is no metric.
  const odd = (await get(`telemetry?from=${from}&to=${to}&step=PT10S&names=toString,__proto__`)).json();
  for (const name of ['toString', '__proto__'])
    expect(new Map(Object.entries(odd.series)).get(name)).toEqual(some.series['nothing.such']);
  const many = Array.from({ length: 101 }, (_, index) => `a${index}`).join();
  expect(await refusal(`telemetry?names=${many}`)).toEqual([400, 'invalid_request', 'names']);
});

test('the rates of a backfill are told by its name, of the steps that remember it', async () => {
  const at = Math.floor(control.clock.now() / 1_000) * 1_000 - 1_200_000;
  const row = (seconds: number, kept: object[] | null, replay: object | null = null) => ({
    pipelineId: 'flights',
    stepSeconds: 1,
    at: new Date(at + seconds * 1_000),
    values: { liveLagMs: seconds },
    snapshot:
      kept === null
        ? null
        : ({ backfills: kept, replay } as unknown as typeof telemetry.$inferSelect.snapshot),
  });
  const backfill = (id: string, appliedEventsPerSecond: number | null, publishedEventsPerSecond: number) => ({
    id,
    progress: { appliedEventsPerSecond, publishedEventsPerSecond },
  });
  await control.ctx.database.insert(telemetry).values([
    row(0, null),
    row(1, []),
    row(2, [backfill('bf_1', 480, 500), backfill('bf_2', null, 20)], {
      of: 'applied',
      backfills: { bf_1: 479.5, bf_21: 0 },
    }),
  ]);
  const names = ['backfill.bf_1.appliedEventsPerSecond', 'backfill.bf_2.appliedEventsPerSecond'];
  const ask = `telemetry?from=${iso(at)}&to=${iso(at + 3_000)}&step=PT1S&names=`;
  const told = async (asked: string) =>
    Object.entries((await get(ask + asked)).json().series as Record<string, [number, number | null][]>).map(
      ([name, points]) => [name, points.map(([, value]) => value)],
    );
  expect(await told([...names, 'backfill.bf_2.publishedEventsPerSecond', 'liveLagMs'].join())).toEqual([
    [names[0], [null, null, 480]],
    [names[1], [null, null, null]],
    ['backfill.bf_2.publishedEventsPerSecond', [null, null, 20]],
    ['liveLagMs', [0, 1, 2]],
  ]);
  // Also of one that is not recorded whole.
  expect(await told('backfill.bf_1.eventsPerSecond,backfill.bf_21.eventsPerSecond')).toEqual([
    ['backfill.bf_1.eventsPerSecond', [null, null, 479.5]],
    ['backfill.bf_21.eventsPerSecond', [null, null, 0]],
  ]);
  expect(await told('backfill.bf_9.appliedEventsPerSecond'), 'of one that nobody knows').toEqual([
    ['backfill.bf_9.appliedEventsPerSecond', [null, null, null]],
  ]);
});

test('a second that was recorded before moments were is shown as far as it is known', async () => {
  const at = Math.floor(control.clock.now() / 1_000) * 1_000 - 30_000;
  await control.ctx.database.insert(telemetry).values({
    pipelineId: 'flights',
    stepSeconds: 1,
    at: new Date(at),
    values: { liveEventsPerSecond: 100 },
  });
  expect(await momentAt(at)).toMatchObject({
    values: { liveEventsPerSecond: 100 },
    stages: null,
    streams: [],
    governor: null,
    replayPaused: null,
    backfills: null,
  });
});

test('a backfill that was recorded before it was told what of it is done is shown as well', async () => {
  await control.ctx.database.execute(sql`
    update telemetry set snapshot = jsonb_set(snapshot #- '{backfills,0,progress,eventsDone}', '{backfills,0,progress,eventsApplied}', '7')
    where jsonb_array_length(snapshot -> 'backfills') > 0`);
  expect((await momentAt(stalledAt)).backfills).toMatchObject([
    { progress: { eventsApplied: 7, eventsDone: 7 } },
  ]);
});

test('one row a second stays one row a second', async () => {
  const before = await control.ctx.database.$count(telemetry);
  const at = await second();
  const rows = await control.ctx.database.select().from(telemetry);
  const added = rows.filter((row) => row.stepSeconds === 1 && row.at.getTime() === at);
  expect(added).toHaveLength(1);
  expect(rows.length - before).toBeLessThanOrEqual(3);
});

test('after a restart a failed backfill is still among those that are not finished', async () => {
  const { database } = control.ctx;
  await database.update(backfills).set({ state: 'failed', startedAt: sql`now()`, endedAt: sql`now()` });
  const restarted = await startControlApp(engine.url);
  restarted.clock.forward(control.clock.now() - restarted.clock.now() + 60_000);
  const governor = startGovernor(restarted.ctx, restarted.ctx.telemetry);
  try {
    const recorder = restarted.ctx.telemetry as TelemetryRecorder;
    await until(
      async () => {
        await recorder.beat();
        const { rows } = await database.execute<{ ids: string[] | null }>(
          sql`select jsonb_path_query_array(snapshot, '$.backfills[*].id') as ids from telemetry where step_seconds = 1 order by at desc limit 1`,
        );
        return rows[0]?.ids?.includes(backfillId) === true;
      },
      10_000,
      'the failed backfill is recorded',
    );
  } finally {
    await governor.stop();
    await restarted.close();
  }
});
