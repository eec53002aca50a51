/** Quotes over HTTP on a real control database: what they say, what they refuse, and how long they take. No source exists: nothing could be read. */
import type { Backfill } from '@spillway/shared/api/backfill';
import { protocolVersion, type WorkerTag } from '@spillway/shared/api/worker-protocol';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectWhatIsCounted } from '../../src/control-plane/backfill/expected-events.ts';
import { maintain } from '../../src/control-plane/database/maintenance.ts';
import { backfills, finishedRuns, lanes, quotes, runs } from '../../src/control-plane/database/schema.ts';
import type { PipelineLook } from '../../src/control-plane/governor/looks.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { createStatistics } from '../../src/control-plane/sources/statistics.ts';
import { version } from '../../src/version.ts';
import { adminToken, type ControlApp, startControlApp, workerToken } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { evenCounts } from '../fixtures/counted-source.ts';
import {
  begin,
  DAY_MS,
  EVENTS_PER_MINUTE,
  type QuotedPipeline,
  quotedPipeline,
} from '../fixtures/quoted-pipeline.ts';

const TWO_DAYS_EVENTS = 2 * 2 * 1_440 * EVENTS_PER_MINUTE;
const HOUR_MS = 3_600_000;

let database: ControlDatabase;
let control: ControlApp;

beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});

beforeEach(() => join());

/** A replay worker, heard now. */
const join = (tags: WorkerTag[] = []) =>
  control.ask(workerToken, 'POST', '/v1/workers', {
    body: { role: 'replay', protocolVersion, pid: 1, host: 'here', version, tags },
  });
const codes = (quote: { warnings: { code: string }[] }) => quote.warnings.map(({ code }) => code);
const inHours = (hours: number) => new Date(control.clock.now() + hours * HOUR_MS).toISOString();
const ask = (body: unknown, headers: Record<string, string> = {}) =>
  control.ask(adminToken, 'POST', '/v1/quotes', { body, headers });

describe('what a quote says', () => {
  test('counts are exact, and every part of the answer is there', async () => {
    const { quote, id } = await quotedPipeline(control);
    const answer = await quote();
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^qt_[0-9a-f]{20}$/),
      events: { low: TWO_DAYS_EVENTS, likely: TWO_DAYS_EVENTS, high: TWO_DAYS_EVENTS },
      subwindows: 96,
      limits: { eventsPerSecond: 1_000, share: null, concurrency: 2, budget: null },
      goal: null,
      overlaps: [],
      safeRate: { eventsPerSecond: 5_000, why: expect.stringContaining('replay share') },
      peak: { eventsPerSecond: 1_000 },
    });
    expect(codes(answer)).toEqual(['coefficients_assumed', 'example_prices']);
    // At 1,000 events/s nothing piles up; trimming keeps a tenth of the mark at most.
    expect(answer.stream).toMatchObject({ fits: true, retentionPart: null, trim: { everyMs: 2_000 } });
    expect(answer.stream?.trim.keepEntries).toBeGreaterThanOrEqual(answer.peak?.streamLength ?? Number.NaN);
    // Publishing takes 288 s of it, proof a tenth of that; beginning and end the rest.
    expect(answer.durationSeconds?.likely).toBeGreaterThan(TWO_DAYS_EVENTS / 1_000);
    expect(answer.durationSeconds?.likely).toBeLessThan((TWO_DAYS_EVENTS / 1_000) * 1.12);
    expect(answer.cost?.items).toHaveLength(9);
    expect(answer.frontier.length).toBeGreaterThan(20);
    // What live leaves of 10,000 events/s less a tenth of headroom.
    expect(answer.frontier.at(-1)?.eventsPerSecond).toBe(8_900);
    expect(answer.route).toMatchObject({ shared: expect.any(Object), separate: expect.any(Object) });
    expect(Date.parse(answer.expiresAt) - control.clock.now()).toBeGreaterThan(14 * 60_000);
    const kept = await control.pool.query('select * from quotes where pipeline_id = $1', [id]);
    expect(kept.rows).toMatchObject([
      { id: answer.id, basis: { sources: { [`${id}-east`]: 'f1', [`${id}-west`]: 'f1' } } },
    ]);
  });

  test('the safe rate is the governor’s, for as long as it has looked lately', async () => {
    const { id, quote } = await quotedPipeline(control);
    const safeRate = { eventsPerSecond: 321, why: 'what live leaves' };
    const look = { atMs: control.ctx.clock.monotonic(), view: { safeRate } };
    governorMemory(control.ctx).looks = new Map([[id, look as unknown as PipelineLook]]);
    const looked = await quote();
    expect(looked.safeRate).toEqual(safeRate);
    expect(codes(looked)).toContain('rate_above_safe');
    control.clock.forward(6_000);
    expect((await quote()).safeRate).toMatchObject({ eventsPerSecond: 5_000 });
  });

  test('a window that cuts a minute says that a minute is not known', async () => {
    const { quote } = await quotedPipeline(control);
    const { events } = await quote({
      window: { from: '2001-01-01T00:00:30Z', to: '2001-01-03T00:00:00Z' },
    });
    expect(events).toEqual({
      low: TWO_DAYS_EVENTS - 2 * EVENTS_PER_MINUTE,
      likely: TWO_DAYS_EVENTS - EVENTS_PER_MINUTE,
      high: TWO_DAYS_EVENTS,
    });
  });

  test('of a source that nobody has counted nothing is known, and that is said', async () => {
    const { quote, count, east, west } = await quotedPipeline(control, { counted: false });
    await count(east);
    const answer = await quote();
    expect(answer).toMatchObject({ events: null, durationSeconds: null, cost: null, frontier: [] });
    expect(answer.warnings).toContainEqual({
      code: 'events_unknown',
      detail: expect.stringContaining(west),
    });
  });

  test('of a source too large to be counted there is an estimate: a wider range that says so, and no exact figure', async () => {
    const made = await quotedPipeline(control, { counted: false });
    await made.count(made.east);
    await made.count(made.west, 'f1', true);
    const half = TWO_DAYS_EVENTS / 2;
    const answer = await made.quote();
    expect(answer.events).toEqual({ low: half * 1.5, likely: half * 2, high: half * 3 });
    expect(answer.warnings).toContainEqual({
      code: 'no_statistics',
      detail: `Not counted, so the range is wider: ${made.west}.`,
    });
    const source = (await control.ask(adminToken, 'GET', `/v1/sources/${made.west}`)).json();
    expect(source).toMatchObject({ events: null, statistics: { exact: false } });
    const started = (await control.ask(adminToken, 'POST', '/v1/backfills', { body: made.body })).json();
    expect(started).toMatchObject({
      progress: { eventsExpected: null, eventsEstimated: answer.events, percent: 0 },
      cost: { estimate: answer.cost, forecastBasis: 'estimated' },
    });
    // Another process reads what this one has recorded.
    const again = createStatistics(control.ctx);
    await again.load();
    const window = { from: begin, to: begin + 2 * DAY_MS };
    expect(again.expectedEvents(made.west, window)).toBeNull();
    expect(again.eventRange(made.west, window)).toMatchObject({ likely: half, estimated: true });
  });

  test('and a backfill of it has a forecast that closes as it goes, marked as of estimated events', async () => {
    const made = await quotedPipeline(control, { counted: false });
    await made.count(made.east);
    await made.count(made.west, 'f1', true);
    const { id } = (await control.ask(adminToken, 'POST', '/v1/backfills', { body: made.body })).json();
    const read = async () => (await control.ask(adminToken, 'GET', `/v1/backfills/${id}`)).json();
    const width = ({ cost }: Backfill) =>
      Number(cost?.forecast?.high.amount) - Number(cost?.forecast?.low.amount);
    const before: Backfill = await read();
    expect(before).toMatchObject({ progress: { percent: 0 }, cost: { forecastBasis: 'estimated' } });
    // Half of the subwindows, and half as many events again as were likely in them.
    const eventsApplied = TWO_DAYS_EVENTS * 0.75;
    await control.ctx.database
      .update(backfills)
      .set({ state: 'running', startedAt: new Date(), subwindowsDone: 48, eventsApplied })
      .where(eq(backfills.id, id));
    await control.ctx.database.update(lanes).set({ nextIndex: 24 }).where(eq(lanes.backfillId, id));
    const after: Backfill = await read();
    const { low, likely, high } = after.progress.eventsEstimated ?? { low: 0, likely: 0, high: 0 };
    expect(low).toBeGreaterThanOrEqual(eventsApplied);
    expect(likely / TWO_DAYS_EVENTS).toBeCloseTo(1.45, 1);
    expect(high).toBeGreaterThan(likely);
    expect(after.progress.percent).toBeCloseTo(51, -1);
    expect(after.cost?.forecastBasis).toBe('estimated');
    expect(width(after)).toBeLessThan(width(before));
    // What is counted later is exact.
    await made.count(made.west);
    await expectWhatIsCounted(control.ctx);
    expect(await read()).toMatchObject({
      progress: { eventsExpected: TWO_DAYS_EVENTS, eventsEstimated: null },
      cost: { forecastBasis: 'counted' },
    });
  });

  test('but when it was replayed before, its proof tells: a wider range that says so', async () => {
    const made = await quotedPipeline(control, { counted: false });
    await made.count(made.east);
    await replayedBefore(made, 4 * 1_440 * EVENTS_PER_MINUTE);
    const answer = await made.quote();
    const half = TWO_DAYS_EVENTS / 2;
    expect(answer.events).toEqual({ low: half * 1.5, likely: half * 2, high: half * 3 });
    expect(answer.warnings).toContainEqual({
      code: 'no_statistics',
      detail: expect.stringContaining(made.west),
    });
    const counted = await (await quotedPipeline(control)).quote();
    expect(Number(answer.cost?.high.amount)).toBeGreaterThan(Number(counted.cost?.high.amount) * 1.4);
  });

  test('overlaps, clipping and rates above what is safe are warned of', async () => {
    const made = await quotedPipeline(control);
    const started = await control.ask(adminToken, 'POST', '/v1/backfills', { body: made.body });
    const answer = await made.quote({
      window: { from: '2000-12-31T00:00:00Z', to: '2001-01-02T00:00:00Z' },
      limits: { eventsPerSecond: 6_000 },
    });
    expect(codes(answer)).toEqual(expect.arrayContaining(['window_clipped', 'overlaps', 'rate_above_safe']));
    expect(answer.overlaps).toMatchObject([
      {
        backfillId: started.json().id,
        sourceIds: [made.east, made.west],
        window: { from: '2001-01-01T00:00:00.000Z', to: '2001-01-02T00:00:00.000Z' },
      },
    ]);
  });

  test('a window that reaches before what retention has left of a source is refused, and so is its start', async () => {
    const { body, east } = await quotedPipeline(control);
    const counts = evenCounts(east, { from: begin, to: begin + DAY_MS }, EVENTS_PER_MINUTE, 'cut');
    await control.ctx.statistics.record({ ...counts, wholeFrom: begin });
    const source = await control.ask(adminToken, 'GET', `/v1/sources/${east}`);
    expect(source.json()).toMatchObject({ wholeFrom: '2001-01-01T00:00:00.000Z' });
    const window = (from: string) => ({ ...body, sourceIds: [east], window: { ...body.window, from } });
    for (const path of ['/v1/quotes', '/v1/backfills']) {
      const early = await control.ask(adminToken, 'POST', path, { body: window('2000-12-31T23:59:59Z') });
      expect(early.json()).toMatchObject({
        status: 422,
        code: 'gap',
        detail: expect.stringContaining(`${east} is whole from 2001-01-01T00:00:00.000Z on`),
      });
      const whole = await control.ask(adminToken, 'POST', path, { body: window('2001-01-01T00:00:00Z') });
      expect(whole.statusCode).toBe(201);
    }
  });

  test('a start warns of the overlaps that its quote named: of shared sources, not of windows alone', async () => {
    const { body, east, west, quote } = await quotedPipeline(control);
    const started = async (sourceIds: string[]) => {
      const { overlaps } = await quote({ sourceIds });
      const answer = await control.ask(adminToken, 'POST', '/v1/backfills', { body: { ...body, sourceIds } });
      const { id, warnings } = answer.json();
      const warned: string[] = warnings
        .filter(({ code }: { code: string }) => code === 'overlaps_backfill')
        .map(({ detail }: { detail: string }) => /that of (bf_\w+)/.exec(detail)?.[1]);
      expect(warned).toEqual(overlaps.map(({ backfillId }) => backfillId));
      return { id, warned };
    };
    const first = await started([east]);
    const second = await started([west]);
    expect(second.warned).toEqual([]);
    expect((await started([east, west])).warned).toEqual([first.id, second.id]);
  });

  test('where nobody is at work who could read for it, that it would wait', async () => {
    const { quote } = await quotedPipeline(control);
    const waiting = async (isolated: boolean) => codes(await quote({ isolated })).includes('no_worker');
    expect([await waiting(false), await waiting(true)]).toEqual([false, true]);
    await join(['isolated']);
    expect(await waiting(true)).toBe(false);
    // All of them are lost.
    control.clock.forward(11_000);
    expect([await waiting(false), await waiting(true)]).toEqual([true, true]);
  });

  test('without a capacity nothing but counts; with live at all of it nothing is left', async () => {
    const unmeasured = { capacityEventsPerSecond: null, capacityOrigin: 'unknown' };
    const blind = await (await quotedPipeline(control, { set: unmeasured })).quote();
    expect(blind).toMatchObject({ events: { likely: TWO_DAYS_EVENTS }, durationSeconds: null, cost: null });
    expect(codes(blind)).toEqual(['capacity_unknown']);
    const full = { capacityEventsPerSecond: 1_000, liveEventsPerSecond: 1_000 };
    expect(codes(await (await quotedPipeline(control, { set: full })).quote())).toEqual(['nothing_left']);
    const unheard = { liveEventsPerSecond: null };
    expect(codes(await (await quotedPipeline(control, { set: unheard })).quote())).toContain('live_unknown');
  });
});

test('each finished run refines what is quoted: learned by item, and narrower as runs agree', async () => {
  const made = await quotedPipeline(control);
  const finish = async (nth: number) => {
    const backfillId = `bf_${made.id}_${nth}`;
    await control.ctx.database.insert(backfills).values({
      ...replayedRow(made, backfillId),
      windowFrom: begin + 5 * DAY_MS,
      windowTo: begin + 6 * DAY_MS,
      requestedFrom: begin + 5 * DAY_MS,
      requestedTo: begin + 6 * DAY_MS,
    });
    await control.ctx.database.insert(finishedRuns).values({
      backfillId,
      pipelineId: made.id,
      finishedAt: new Date(),
      events: 100_000,
      usage: JSON.stringify({
        total: { rowsAttempted: '100000', cpuMs: '6000', publishedBytes: '15000000', egressBytes: '0' },
        absorbed: {},
        apportioned: [],
      }),
      seconds: 105,
      modelledSeconds: 100,
      modelledStreamByteMs: 1_000,
    });
    return made.quote();
  };
  const width = ({ durationSeconds }: Awaited<ReturnType<typeof finish>>) =>
    (durationSeconds?.high ?? Number.NaN) / (durationSeconds?.low ?? Number.NaN);
  const assumed = await made.quote();
  const first = await finish(1);
  expect(codes(assumed)).toContain('coefficients_assumed');
  expect(codes(first)).toEqual(expect.arrayContaining(['few_runs', 'items_unknown']));
  const item = (name: string) => first.cost?.items.find((one) => one.item === name);
  expect(item('compute')).toMatchObject({
    basis: 'learned',
    quantity: String(Math.round(TWO_DAYS_EVENTS * 0.06)),
  });
  expect(item('egress')).toMatchObject({ basis: 'learned', quantity: '0', total: { amount: '0.00' } });
  expect(item('store_wal')).toMatchObject({ basis: 'unknown', quantity: null, total: null });
  // An entry weighs what entries have weighed: 150 bytes.
  expect(first.peak?.streamBytes).toBeCloseTo((first.peak?.streamLength ?? Number.NaN) * 150, -3);
  await finish(2);
  const third = await finish(3);
  expect(codes(third)).not.toContain('few_runs');
  expect(width(assumed)).toBeGreaterThan(width(first));
  expect(width(first)).toBeGreaterThan(width(third));
});

describe('goals', () => {
  test('finishBy is solved to the lowest rate in time; what is impossible, to the nearest', async () => {
    const { quote } = await quotedPipeline(control);
    const limits = {};
    const met = await quote({ limits, finishBy: inHours(0.1) });
    expect(met.goal).toMatchObject({ goal: 'finish_by', met: true });
    expect(met.limits).toMatchObject({ eventsPerSecond: met.goal?.eventsPerSecond, share: null });
    // In six minutes, an eleventh of which is proof, and some seconds neither.
    expect(met.goal?.eventsPerSecond).toBeGreaterThan(TWO_DAYS_EVENTS / 360);
    expect(met.goal?.eventsPerSecond).toBeLessThan((TWO_DAYS_EVENTS / 360) * 1.15);
    const missed = await quote({ limits, finishBy: inHours(0.001) });
    expect(missed.goal).toMatchObject({ met: false, eventsPerSecond: 8_900 });
    expect(codes(missed)).toContain('goal_impossible');
  });

  test('maxCost is solved to the fastest rate within it', async () => {
    const { quote } = await quotedPipeline(control);
    const usd = (amount: string) => ({ limits: {}, maxCost: { amount, currency: 'USD' } });
    const met = await quote(usd('40'));
    expect(met.goal).toMatchObject({ goal: 'max_cost', met: true, eventsPerSecond: 8_900 });
    const missed = await quote(usd('0.000000001'));
    expect(missed.goal).toMatchObject({ met: false, detail: expect.stringMatching(/^Impossible/) });
  });
});

const later = '2999-01-01T00:00:00Z';
const usd = (amount: string) => ({ amount, currency: 'USD' });
test.each<[string, object, number, string, string]>([
  ['finishBy in the past', { finishBy: '2020-01-01T00:00:00Z' }, 422, 'invalid_goal', '/finishBy'],
  ['no date', { finishBy: 'tomorrow' }, 400, 'invalid_request', '/finishBy'],
  ['maxCost 0', { maxCost: usd('0') }, 422, 'invalid_goal', '/maxCost/amount'],
  ['maxCost below 0', { maxCost: usd('-1') }, 400, 'invalid_request', '/maxCost/amount'],
  [
    'a currency that is none',
    { maxCost: { ...usd('5'), currency: 'ZZZ' } },
    422,
    'invalid_goal',
    '/maxCost/currency',
  ],
  [
    'another currency',
    { limits: { budget: { ...usd('5'), currency: 'EUR' } } },
    422,
    'invalid_goal',
    '/limits/budget/currency',
  ],
  ['both goals', { finishBy: later, maxCost: usd('5') }, 422, 'invalid_goal', '/maxCost'],
  [
    'a goal and a rate',
    { finishBy: later, limits: { eventsPerSecond: 5 } },
    422,
    'invalid_goal',
    '/limits/eventsPerSecond',
  ],
  [
    'a window outside the sources',
    { window: { from: '1999-01-01T00:00:00Z', to: '1999-02-01T00:00:00Z' } },
    422,
    'window_outside_source',
    '/window',
  ],
  ['an unknown source', { sourceIds: ['nobody'] }, 404, 'unknown_source', '/sourceIds/0'],
  ['an unknown pipeline', { pipelineId: 'nobody' }, 404, 'unknown_pipeline', '/pipelineId'],
  ['a quote of a quote', { quoteId: 'qt_1' }, 400, 'invalid_request', '/quoteId'],
])('refused: %s', async (_name, change, status, code, pointer) => {
  const { body, id } = await quotedPipeline(control);
  const answer = await ask({ ...body, limits: {}, ...change });
  expect(answer.json(), answer.body).toMatchObject({ status, code });
  expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  const kept = await control.pool.query('select id from quotes where pipeline_id = $1', [id]);
  expect(kept.rows).toEqual([]);
});

test('one key, one quote', async () => {
  const { body, id } = await quotedPipeline(control);
  const headers = { 'idempotency-key': 'quoted-once' };
  const [first, again] = [await ask(body, headers), await ask(body, headers)];
  expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
  expect(again.json()).toEqual(first.json());
  const other = await ask({ ...body, limits: { eventsPerSecond: 7 } }, headers);
  expect(other.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  const kept = await control.pool.query('select id from quotes where pipeline_id = $1', [id]);
  expect(kept.rows).toHaveLength(1);
});

test('expired quotes go after a day, and of more than are kept the oldest', async () => {
  const { id, quote } = await quotedPipeline(control);
  const old = await quote();
  const young = await quote();
  await control.pool.query("update quotes set created_at = now() - interval '26 hours' where id = $1", [
    old.id,
  ]);
  await control.pool.query("update quotes set expires_at = now() - interval '25 hours' where id = $1", [
    old.id,
  ]);
  await maintain(control.ctx.database);
  const kept = await control.pool.query('select id from quotes where pipeline_id = $1', [id]);
  expect(kept.rows).toEqual([{ id: young.id }]);

  await control.ctx.database.execute(sql`
    insert into quotes select id || '_' || n, pipeline_id, request, limits, basis, estimate, created_by, created_at - n * interval '1 ms', expires_at
    from quotes, generate_series(1, 10050) n where id = ${young.id}`);
  await maintain(control.ctx.database);
  const [left] = await control.ctx.database.select({ rows: sql<number>`count(*)::int` }).from(quotes);
  expect(left?.rows).toBe(10_000);
  const still = await control.pool.query('select id from quotes where id = $1', [young.id]);
  expect(still.rows).toHaveLength(1);
});

test('six months in ten-second subwindows are quoted as quickly as anything', async () => {
  const { quote, east } = await quotedPipeline(control, { days: 181 });
  const body = {
    sourceIds: [east],
    window: { from: '2001-01-01T00:00:00Z', to: '2001-07-01T00:00:00Z' },
    subwindow: 'PT10S',
    limits: {},
    maxCost: { amount: '0.5', currency: 'USD' },
  };
  expect(await quote(body)).toMatchObject({ subwindows: 1_563_840 });
  const times: number[] = [];
  for (let round = 0; round < 100; round++) {
    const before = performance.now();
    await quote(body);
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  console.info(`quotes: p50 ${times[50]?.toFixed(1)} ms, p99 ${times[98]?.toFixed(1)} ms`);
  // Promised is a p99 of 200 ms, and the benchmark measures it. A test shares its machine with others.
  expect(times[50]).toBeLessThan(200);
  expect(times[98]).toBeLessThan(1_000);
});

function replayedRow({ id }: Pick<QuotedPipeline, 'id'>, backfillId: string): typeof backfills.$inferInsert {
  const window = { from: begin, to: begin + 4 * DAY_MS };
  return {
    id: backfillId,
    pipelineId: id,
    windowFrom: window.from,
    windowTo: window.to,
    requestedFrom: window.from,
    requestedTo: window.to,
    subwindowMs: HOUR_MS,
    concurrency: 1,
    state: 'completed',
    origin: 'operator',
    subwindowsTotal: 96,
    subwindowsDone: 96,
    verificationState: 'matched',
    createdBy: 'ada',
    startedAt: new Date(),
    endedAt: new Date(),
  };
}

/** West has been replayed and proved once: the first four days of it. */
async function replayedBefore({ id, west }: QuotedPipeline, events: number): Promise<void> {
  const window = { from: begin, to: begin + 4 * DAY_MS };
  await control.ctx.database.insert(backfills).values(replayedRow({ id }, `bf_of_${id}`));
  await control.ctx.database.insert(lanes).values({
    backfillId: `bf_of_${id}`,
    sourceId: west,
    laneFrom: window.from,
    laneTo: window.to,
    subwindows: 96,
    nextIndex: 96,
  });
  await control.ctx.database.insert(runs).values({
    id: `ls_of_${id}`,
    kind: 'verify',
    backfillId: `bf_of_${id}`,
    sourceId: west,
    fromIndex: 0,
    toIndex: 96,
    state: 'done',
    eventsChecked: events,
  });
}
