/** A start that names a quote is held to it; one that names none has an estimate all the same. */
import type { StartBackfill } from '@spillway/shared/api/backfill';
import { pricePresets } from '@spillway/shared/cost/presets';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectWhatIsCounted } from '../../src/control-plane/backfill/expected-events.ts';
import { putPriceBook } from '../../src/control-plane/cost/price-books.ts';
import { unitOfWork } from '../../src/control-plane/database/database.ts';
import { backfills, pipelines } from '../../src/control-plane/database/schema.ts';
import { readGoverned } from '../../src/control-plane/governor/governed.ts';
import { estimateLate } from '../../src/control-plane/quotes/estimate-late.ts';
import { adminToken, type ControlApp, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { type QuotedPipeline, quotedPipeline } from '../fixtures/quoted-pipeline.ts';

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

const start = (body: Partial<StartBackfill>) => control.ask(adminToken, 'POST', '/v1/backfills', { body });
const pointers = (answer: { json(): { errors: { pointer: string }[] } }) =>
  answer.json().errors.map(({ pointer }) => pointer);
const set = (id: string, columns: Partial<typeof pipelines.$inferInsert>) =>
  control.ctx.database.update(pipelines).set(columns).where(eq(pipelines.id, id));

describe('a start that names a quote', () => {
  test('is what was quoted: limits as solved, and the estimate is the quote’s', async () => {
    const { body, quote } = await quotedPipeline(control);
    const { limits: _, ...request } = body;
    const quoted = await quote({
      limits: {},
      finishBy: new Date(control.clock.now() + 360_000).toISOString(),
    });
    const answer = await start({ ...request, quoteId: quoted.id });
    expect(answer.statusCode, answer.body).toBe(201);
    expect(answer.json()).toMatchObject({
      limits: { eventsPerSecond: quoted.goal?.eventsPerSecond, share: null },
      cost: { estimate: quoted.cost, metered: null, budget: null },
    });
    const read = await control.ask(adminToken, 'GET', `/v1/backfills/${answer.json().id}`);
    expect(read.json().cost.estimate).toEqual(quoted.cost);
    const audit = (await control.ask(adminToken, 'GET', `/v1/audit?target=${answer.json().id}`)).json();
    expect(audit.items).toMatchObject([{ after: { quoteId: quoted.id } }]);
  });

  test('at another rate it is estimated for that one', async () => {
    const { body, quote } = await quotedPipeline(control);
    const quoted = await quote();
    const limits = { eventsPerSecond: 8_000 };
    const answer = await start({ ...body, limits, quoteId: quoted.id });
    expect(answer.json().limits).toMatchObject({ ...limits, share: null });
    const [row] = await control.ctx.database
      .select({ estimate: backfills.estimate })
      .from(backfills)
      .where(eq(backfills.id, answer.json().id));
    expect(row?.estimate).toMatchObject({ quoteId: quoted.id });
    const modelled = row?.estimate?.modelled?.seconds ?? Number.NaN;
    expect(modelled).toBeGreaterThan(288_000 / 8_000);
    // Replay is faster, and its proof as far as the store lets it: three times as fast as it applies. Beginning and end take as long.
    const [replay, proof] = [288 - 288_000 / 8_000, 288_000 / 10_000 - 288_000 / 30_000];
    expect((quoted.durationSeconds?.likely ?? 0) - modelled).toBeCloseTo(replay + proof, 0);
  });

  const drifts: [string, string, (made: QuotedPipeline) => unknown][] = [
    ['a source', 'east', (made) => made.count(made.east, 'f2')],
    ['capacity', '/capacityEventsPerSecond', ({ id }) => set(id, { capacityEventsPerSecond: 7_000 })],
    ['the route', '/route', ({ id }) => set(id, { route: 'shared' })],
    ['the high-water mark', '/highWaterMark', ({ id }) => set(id, { highWaterMark: 9 })],
    ['an overlapping backfill', '/overlaps', ({ body }) => start(body)],
  ];
  test.each(drifts)('is refused when %s has changed', async (_what, pointer, change) => {
    const made = await quotedPipeline(control);
    const { id } = await made.quote();
    await change(made);
    const before = await count(made);
    const answer = await start({ ...made.body, quoteId: id });
    expect(answer.json(), answer.body).toMatchObject({ status: 409, code: 'quote_drifted' });
    expect(pointers(answer)).toEqual([pointer === 'east' ? `/sources/${made.east}` : pointer]);
    expect(await count(made)).toBe(before);
  });

  test.each(['postgres', 'kafka'])(
    'of a history that is written to all the time (%s) holds while its window does, and no longer',
    async (connector) => {
      const made = await quotedPipeline(control, { connector });
      const quoted = await made.quote();
      const window = { from: '2001-01-06T00:00:00Z', to: '2001-01-09T00:00:00Z' };
      const reaching = await made.quote({ window });
      await made.count(made.east, 'f2', false, 8);
      // It reaches into what has been written since, and has more events now.
      const answer = await start({ ...made.body, window, quoteId: reaching.id });
      expect(answer.json(), answer.body).toMatchObject({ status: 409, code: 'quote_drifted' });
      expect(pointers(answer)).toEqual([`/sources/${made.east}`]);
      expect(answer.json().errors[0].detail).toBe(
        `Source ${made.east}: 144000 events of the window when quoted, 216000 events of the window now.`,
      );
      expect((await start({ ...made.body, quoteId: quoted.id })).statusCode).toBe(201);
    },
  );

  test('is refused when the price book has changed, or all of a pipeline’s sources are more', async () => {
    const made = await quotedPipeline(control);
    const { id } = await made.quote();
    await unitOfWork(control.ctx.database, ({ tx }) =>
      putPriceBook(tx, made.id, pricePresets['example-cloud'], 'ada'),
    );
    const answer = await start({ ...made.body, quoteId: id });
    expect(pointers(answer)).toEqual(['/priceBookVersion']);
    await control.pool.query(
      `insert into sources (id, pipeline_id, title, connector, config, range_from, range_to)
       select id || '-2', pipeline_id, title, connector, config, range_from, range_to from sources where id = $1`,
      [made.west],
    );
    expect(pointers(await start({ ...made.body, quoteId: id }))).toEqual([
      `/sources/${made.west}-2`,
      '/priceBookVersion',
    ]);
  });

  test('is not refused for a little more or less capacity, nor for naming all sources that were quoted', async () => {
    const made = await quotedPipeline(control);
    const { id } = await made.quote();
    await set(made.id, { capacityEventsPerSecond: 11_500 });
    const answer = await start({ ...made.body, sourceIds: [made.west, made.east], quoteId: id });
    expect(answer.statusCode, answer.body).toBe(201);
  });

  test('is refused when live has come to take so much that it would end outside its range, and told what moved', async () => {
    const made = await quotedPipeline(control, {
      set: { capacityEventsPerSecond: 5_000, replayFloor: 0.01 },
    });
    const { id } = await made.quote();
    await set(made.id, { liveEventsPerSecond: 4_900 });
    const answer = await start({ ...made.body, quoteId: id });
    expect(answer.json(), answer.body).toMatchObject({ status: 409, code: 'quote_drifted' });
    expect(pointers(answer)).toEqual(['/durationSeconds', '/liveEventsPerSecond']);
    expect(answer.json().errors[0].detail).toMatch(/^Likely time: 5 min .* when quoted, 1 h 4\d min now\.$/);
    expect(answer.json().errors[1].detail).toBe('Live, events/s: 100 when quoted, 4900 now.');
    // Live goes up and down: what stays within the range is no drift.
    for (const liveEventsPerSecond of [60, 150, 3_000]) {
      await set(made.id, { liveEventsPerSecond });
      const { id: again } = await made.quote();
      await set(made.id, { liveEventsPerSecond: 100 });
      expect((await start({ ...made.body, quoteId: again })).statusCode).toBe(201);
    }
  });

  test('is refused when it asks for something else, with a pointer to each', async () => {
    const made = await quotedPipeline(control);
    const { id } = await made.quote();
    const window = { from: '2001-01-01T00:00:00Z', to: '2001-01-04T00:00:00Z' };
    const answer = await start({
      ...made.body,
      window,
      subwindow: 'PT2H',
      sourceIds: [made.east],
      quoteId: id,
    });
    expect(answer.json(), answer.body).toMatchObject({ status: 422, code: 'quote_mismatch' });
    expect(pointers(answer)).toEqual(['/window/to', '/subwindow', '/sourceIds']);
    const other = await quotedPipeline(control);
    expect(pointers(await start({ ...other.body, quoteId: id }))).toContain('/pipelineId');
    const part = await made.quote({ sourceIds: [made.east] });
    expect(pointers(await start({ ...made.body, quoteId: part.id }))).toEqual(['/sourceIds']);
  });

  test('is refused when the quote is unknown, or has expired', async () => {
    const { body, quote } = await quotedPipeline(control);
    const { id } = await quote();
    const unknown = await start({ ...body, quoteId: 'qt_nobody' });
    expect(unknown.json()).toMatchObject({ status: 404, code: 'unknown_quote' });
    expect(pointers(unknown)).toEqual(['/quoteId']);
    control.clock.forward(15 * 60_000);
    const late = await start({ ...body, quoteId: id });
    expect(late.json()).toMatchObject({ status: 409, code: 'quote_expired' });
    expect(pointers(late)).toEqual(['/quoteId']);
  });

  test('two starts with one quote are one backfill: the second finds that the first overlaps', async () => {
    const { body, quote } = await quotedPipeline(control);
    const { id } = await quote();
    const statuses = (await Promise.all([0, 1].map(() => start({ ...body, quoteId: id })))).map(
      ({ statusCode }) => statusCode,
    );
    expect(statuses.toSorted()).toEqual([201, 409]);
  });

  test('nor is a second one let in where more backfills overlap than a quote names', async () => {
    const { body, quote } = await quotedPipeline(control);
    for (let other = 0; other < 51; other += 1) expect((await start(body)).statusCode).toBe(201);
    const { id, overlaps } = await quote();
    expect(overlaps).toHaveLength(50);
    expect((await start({ ...body, quoteId: id })).statusCode).toBe(201);
    const second = await start({ ...body, quoteId: id });
    expect(second.json()).toMatchObject({ status: 409, code: 'quote_drifted' });
    expect(pointers(second)).toEqual(['/overlaps']);
  });
});

test('a start that names no quote has an estimate all the same; without a price book there is none', async () => {
  const { body, quote } = await quotedPipeline(control);
  const { cost } = await quote();
  const started = (await start(body)).json().cost;
  expect(started).toMatchObject({
    estimate: cost,
    estimateMade: { at: expect.any(String), late: false },
    estimateMissing: null,
    metered: null,
    budget: null,
  });
  expect(started.comparison).toHaveLength(9);
  expect(started.comparison.every(({ actual }: { actual: unknown }) => actual === null)).toBe(true);
  const free = await quotedPipeline(control, { priced: false });
  expect((await start(free.body)).json().cost).toBeNull();
});

describe('what cannot be estimated at the start', () => {
  const read = async (id: string) =>
    (await control.ask(adminToken, 'GET', `/v1/backfills/${id}`)).json().cost;
  const look = async () => {
    // What could not be estimated is tried again after five seconds.
    control.clock.forward(5_000);
    await estimateLate(control.ctx, await readGoverned(control.ctx));
  };
  const counted = async ({ count: record, east, west }: QuotedPipeline) => {
    for (const source of [east, west]) await record(source);
    await expectWhatIsCounted(control.ctx);
  };

  test('for want of counts says so, and is estimated when they have come, marked as late', async () => {
    const made = await quotedPipeline(control, { counted: false });
    const started = (await start(made.body)).json();
    expect(started.cost).toMatchObject({
      estimate: null,
      estimateMade: null,
      estimateMissing: expect.stringMatching(/^Nobody has looked at .*-east, .*-west yet:/),
    });
    await look();
    expect((await read(started.id)).estimate).toBeNull();
    await counted(made);
    await look();
    const late = await read(started.id);
    expect(late).toMatchObject({
      estimateMade: { at: expect.any(String), late: true },
      estimateMissing: null,
    });
    const same = await quotedPipeline(control);
    expect(late.estimate).toEqual((await same.quote()).cost);
    control.clock.forward(60_000);
    await look();
    expect(await read(started.id)).toEqual(late);
  });

  test('for want of a capacity is estimated when it has been measured, at the prices it began under', async () => {
    const unmeasured = { capacityEventsPerSecond: null, capacityOrigin: 'unknown' } as const;
    const made = await quotedPipeline(control, { set: unmeasured });
    const started = (await start(made.body)).json();
    expect(started.cost.estimateMissing).toMatch(/^The capacity has not been measured/);
    await unitOfWork(control.ctx.database, ({ tx }) =>
      putPriceBook(tx, made.id, pricePresets['example-cloud'], 'ada'),
    );
    await look();
    expect((await read(started.id)).estimate).toBeNull();
    await set(made.id, { capacityEventsPerSecond: 10_000, capacityOrigin: 'calibrated' });
    await look();
    const late = await read(started.id);
    expect(late).toMatchObject({ estimateMade: { late: true } });
    expect(late.estimate).toEqual((await (await quotedPipeline(control)).quote()).cost);
  });
});

async function count({ id }: QuotedPipeline): Promise<number> {
  const { rows } = await control.pool.query('select id from backfills where pipeline_id = $1', [id]);
  return rows.length;
}
