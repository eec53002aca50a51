/** What is kept of each second, in what steps and for how long, and what of it one answer holds. */
import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ControlContext } from '../../src/control-plane/context.ts';
import { connect } from '../../src/control-plane/database/database.ts';
import { telemetry } from '../../src/control-plane/database/schema.ts';
import { createHistory } from '../../src/control-plane/telemetry/history.ts';
import { readTelemetry } from '../../src/control-plane/telemetry/queries.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { telemetryContext } from '../fixtures/telemetry-context.ts';

const midnight = Date.UTC(2026, 0, 1);

let engine: ControlDatabase;
let connection: ReturnType<typeof connect>;
let ctx: ControlContext;

beforeAll(async () => {
  engine = await startControlDatabase();
  connection = connect(engine.url, 2);
});
afterAll(async () => {
  await connection?.pool.end();
  await engine?.end();
});
beforeEach(async () => {
  ({ ctx } = await telemetryContext(connection.database, { now: () => midnight, monotonic: () => 0 }));
});

const rowsOf = async (stepSeconds: number) =>
  (
    await ctx.database
      .select()
      .from(telemetry)
      .where(eq(telemetry.stepSeconds, stepSeconds))
      .orderBy(asc(telemetry.at))
  ).map(({ at, values }) => ({ at: (at.getTime() - midnight) / 1000, values }));

describe('the history', () => {
  test('rolls up tens and minutes: the worst stays, unknown stays unknown', async () => {
    const history = createHistory(ctx);
    for (let seconds = 0; seconds <= 120; seconds++) {
      const freshness = seconds === 33 ? 5_000 : seconds >= 70 && seconds < 80 ? null : 10;
      await history.append('flights', midnight + seconds * 1_000, {
        liveFreshnessMsP99: freshness,
        liveEventsPerSecond: seconds % 2 === 0 ? 100 : 200,
      });
    }
    const tens = (await rowsOf(10)).filter(({ at }) => at >= 0);
    expect(tens.map(({ at }) => at)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
    expect(tens[3]?.values).toEqual({ liveFreshnessMsP99: 5_000, liveEventsPerSecond: 150 });
    expect(tens[7]?.values).toEqual({ liveFreshnessMsP99: null, liveEventsPerSecond: 150 });
    expect(await rowsOf(60)).toEqual([
      { at: 0, values: { liveFreshnessMsP99: 5_000, liveEventsPerSecond: 150 } },
      { at: 60, values: { liveFreshnessMsP99: 10, liveEventsPerSecond: 150 } },
    ]);
  });

  test('a second that was not recorded, or a restart, costs no step', async () => {
    const before = createHistory(ctx);
    for (let seconds = 0; seconds < 58; seconds++)
      if (seconds % 10 !== 0) await before.append('flights', midnight + seconds * 1_000, { a: seconds });
    // A new process of the api, five seconds later.
    const after = createHistory(ctx);
    for (let seconds = 63; seconds < 135; seconds++)
      if (seconds % 60 !== 0) await after.append('flights', midnight + seconds * 1_000, { a: seconds });
    expect((await rowsOf(10)).map(({ at }) => at)).toEqual([
      0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120,
    ]);
    expect((await rowsOf(60)).map(({ at }) => at)).toEqual([0, 60]);
  });

  test('a clock that is set back an hour, or leaps ahead, stops nothing', async () => {
    const history = createHistory(ctx);
    for (const ms of [3_600_000, 0, 10_000, 7_200_000, 7_210_000])
      await history.append('flights', midnight + ms, { a: 1 });
    expect((await rowsOf(10)).map(({ at }) => at)).toEqual([0, 10, 3_600, 7_200]);
  });

  test.each([
    ['the same process, after the database did not answer', false],
    ['the next process of the api', true],
  ])('the minute in which it stopped is kept, however much later it goes on: %s', async (_, restarted) => {
    const before = createHistory(ctx);
    for (let seconds = 0; seconds < 97; seconds++)
      await before.append('flights', midnight + seconds * 1_000, { a: seconds });
    const after = restarted ? createHistory(ctx) : before;
    for (const seconds of [2_400, 2_401, 2_402])
      await after.append('flights', midnight + seconds * 1_000, { a: seconds });
    expect((await rowsOf(10)).map(({ at }) => at)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect((await rowsOf(60)).map(({ at }) => at)).toEqual([0, 60]);
  });

  test('what was not rolled up is made up for a few steps a second, and all of it', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => ({
      pipelineId: 'flights',
      stepSeconds: 1,
      at: new Date(midnight + index * 10_000),
      values: { a: index },
    }));
    await ctx.database.insert(telemetry).values(lines);
    const history = createHistory(ctx);
    const made: number[] = [];
    for (const ms of [600_000, 601_000, 602_000, 603_000]) {
      await history.append('flights', midnight + ms, { a: 1 });
      made.push((await rowsOf(10)).length);
    }
    expect(made).toEqual([12, 24, 36, 40]);
    expect((await rowsOf(60)).map(({ at }) => at)).toEqual([0, 60, 120, 180, 240, 300, 360]);
  });

  test('is swept: seconds after an hour, tens after a day, minutes after thirty days', async () => {
    const days = (count: number) => count * 86_400_000;
    const old = [
      { stepSeconds: 1, ageMs: 3_600_000 + 1_000, kept: false },
      { stepSeconds: 1, ageMs: 3_600_000 - 1_000, kept: true },
      { stepSeconds: 10, ageMs: days(1) + 10_000, kept: false },
      { stepSeconds: 10, ageMs: days(1) - 10_000, kept: true },
      { stepSeconds: 60, ageMs: days(30) + 60_000, kept: false },
      { stepSeconds: 60, ageMs: days(30) - 60_000, kept: true },
    ];
    for (const { stepSeconds, ageMs } of old)
      await ctx.database
        .insert(telemetry)
        .values({ pipelineId: 'flights', stepSeconds, at: new Date(midnight - ageMs), values: { old: 1 } });
    await createHistory(ctx).append('flights', midnight + 500, { a: 1 });
    const put = new Set(old.map(({ stepSeconds, ageMs }) => `${stepSeconds} ${ageMs}`));
    // What they were rolled up to before they went is not asked for here.
    const left = (await ctx.database.select().from(telemetry))
      .map(({ stepSeconds, at }) => `${stepSeconds} ${midnight - at.getTime()}`)
      .filter((row) => put.has(row));
    expect(left.toSorted()).toEqual(
      old
        .filter(({ kept }) => kept)
        .map(({ stepSeconds, ageMs }) => `${stepSeconds} ${ageMs}`)
        .toSorted(),
    );
  });
});

describe('reading it', () => {
  const iso = (ms: number) => new Date(midnight + ms).toISOString();

  test('picks the finest step that is kept for all of the range and fits one answer', async () => {
    const stepOf = async (fromMs: number, toMs: number) =>
      (await readTelemetry(ctx, 'flights', { from: iso(fromMs), to: iso(toMs) })).step;
    expect(await stepOf(-600_000, 0)).toBe('PT1S');
    expect(await stepOf(-3_600_000, 0)).toBe('PT1S');
    expect(await stepOf(-3_601_000, 0)).toBe('PT10S');
    expect(await stepOf(-3_700_000, -3_690_000)).toBe('PT10S');
    expect(await stepOf(-36_000_000, 0)).toBe('PT10S');
    expect(await stepOf(-36_010_000, 0)).toBe('PT1M');
    expect(await stepOf(-2 * 86_400_000, 0)).toBe('PT1M');
  });

  test('refuses what is backwards or too much, and answers unknown values with null', async () => {
    await expect(readTelemetry(ctx, 'flights', { from: iso(0), to: iso(0) })).rejects.toMatchObject({
      code: 'invalid_window',
    });
    await expect(
      readTelemetry(ctx, 'flights', { from: iso(-3_601_000), to: iso(0), step: 'PT1S' }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(readTelemetry(ctx, 'nobody', {})).rejects.toMatchObject({ code: 'unknown_pipeline' });
    const history = createHistory(ctx);
    await history.append('flights', midnight - 2_000, { a: 1, b: null });
    await history.append('flights', midnight - 1_000, { a: 2 });
    const { series } = await readTelemetry(ctx, 'flights', { from: iso(-5_000), to: iso(0) });
    expect(series).toEqual({
      a: [
        [midnight - 2_000, 1],
        [midnight - 1_000, 2],
      ],
      b: [
        [midnight - 2_000, null],
        [midnight - 1_000, null],
      ],
    });
  });
});
