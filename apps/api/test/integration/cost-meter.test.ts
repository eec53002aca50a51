/** The meter on a real control database: what ticks tell is counted once, whoever dies in between. */
import { atomsOf } from '@spillway/shared/cost/money';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { throttleBackfill } from '../../src/control-plane/backfill/throttle.ts';
import { archiveMeters } from '../../src/control-plane/cost/archive.ts';
import { meterBook } from '../../src/control-plane/cost/meter-book.ts';
import { readPipelineCost } from '../../src/control-plane/cost/pipeline-cost.ts';
import { putPriceBook } from '../../src/control-plane/cost/price-books.ts';
import { recordUsage } from '../../src/control-plane/cost/record-usage.ts';
import { backfills, metered } from '../../src/control-plane/database/schema.ts';
import { recordTick } from '../../src/control-plane/workers/tick.ts';
import { type Core, type CoreOptions, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { applied, pricedCore, rowsOnly } from '../fixtures/metered-pipeline.ts';

let database: ControlDatabase;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

const priced = (options?: CoreOptions) => pricedCore(database.url, options);

/** Of all accounts, as it is stored. */
async function cpuOf(core: Core): Promise<bigint> {
  meterBook(core.ctx).forget(core.pipelineId);
  const { state } = await meterBook(core.ctx).load(core.pipelineId);
  const accounts = new Set([
    ...Object.keys(state.settled),
    ...Object.values(state.open).flatMap((use) => Object.keys(use)),
  ]);
  return [...accounts].reduce(
    (sum, account) => sum + (meterBook(core.ctx).usageOf(core.pipelineId, account)?.total.cpuMs ?? 0n),
    0n,
  );
}

const rowsOf = async (core: Core, id: string) =>
  (await readBackfill(core.ctx, operator, id)).cost?.metered?.writeAmplification;

/** Applies a backfill's rows, that many in all, and looks at it once the governor has. */
function spender(core: Core, applier: Awaited<ReturnType<Core['join']>>, id: string) {
  let sequence = 0;
  return async (rows: number, eventsPublished: number | null = null) => {
    await recordTick(core.ctx, applier, applied(core, id, ++sequence, { applied: rows }));
    if (eventsPublished !== null)
      await core.ctx.database.update(backfills).set({ eventsPublished }).where(eq(backfills.id, id));
    core.forward(250);
    await core.pass();
    return readBackfill(core.ctx, operator, id);
  };
}

test('ticks that come again, late, or after a restart of the api or the applier change nothing', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, wal: 1_000 }));
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 300, duplicate: 50, wal: 5_000 }));
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 300, duplicate: 50, wal: 5_000 }));
  const seen = { rowsAttempted: 350, rowsInserted: 300, rowsNoop: 50, walBytes: 4_000 };
  expect(await rowsOf(core, id)).toEqual(seen);

  // The api dies: another reads what was stored, is told the same again, and counts nothing of it.
  meterBook(core.ctx).forget(core.pipelineId);
  expect(await rowsOf(core, id)).toEqual(seen);
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 300, duplicate: 50, wal: 5_000 }));
  expect(await rowsOf(core, id)).toEqual(seen);

  // The applier dies with rows committed and log written that it had not told of: the store tells the next one.
  await recordUsage(core.ctx, applied(core, id, 3, { applied: 400, duplicate: 50, wal: 6_000 }, 'us_other'));
  expect(await rowsOf(core, id)).toEqual({
    rowsAttempted: 450,
    rowsInserted: 400,
    rowsNoop: 50,
    walBytes: 5_000,
  });
  await core.close();
});

test.each([
  ['ahead by two hours', 7_200_000],
  ['back by two hours', -7_200_000],
])('a clock that is set %s counts nothing twice', async (_, ms) => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 900 }, 'us_one'));
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 700 }, 'us_two'));
  core.setClockAhead(ms);
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 100, cpuMs: 901 }, 'us_one'));
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 100, cpuMs: 702 }, 'us_two'));
  expect(await cpuOf(core)).toBe(1_603n);
  await core.close();
});

test('workers that went on while no api was there are asked what they did meanwhile', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 900 }, 'us_one'));
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 700 }, 'us_two'));
  meterBook(core.ctx).forget(core.pipelineId);
  core.forward(7_200_000);
  await recordUsage(core.ctx, applied(core, id, 30_000, { applied: 100, cpuMs: 5_000 }, 'us_one'));
  await recordUsage(core.ctx, applied(core, id, 30_000, { applied: 100, cpuMs: 6_000 }, 'us_two'));
  expect(await cpuOf(core)).toBe(11_000n);
  await core.close();
});

test('an applier that was not heard of for hours tells of itself what was counted, of the store what was not', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 900, wal: 1_000 }, 'us_one'));
  core.forward(7_200_000);
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100 }, 'us_two'));
  await recordUsage(core.ctx, applied(core, id, 30_000, { applied: 250, cpuMs: 901 }, 'us_one'));
  expect(await rowsOf(core, id)).toMatchObject({ rowsAttempted: 250, rowsInserted: 250 });
  await core.close();
});

test('a worker that slept for hours, and is younger than that awake, is not counted twice', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 900 }, 'us_slept'));
  core.forward(7_200_000);
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, cpuMs: 20 }, 'us_awake'));
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 100, cpuMs: 903 }, 'us_slept'));
  await recordUsage(core.ctx, applied(core, id, 3, { applied: 100, cpuMs: 905 }, 'us_slept'));
  // What it used between its last word and the first after its sleep is two of the hundreds of milliseconds: not known to be new.
  expect(await cpuOf(core)).toBe(922n);
  await core.close();
});

test('one that worked for hours before any api heard of it is counted from its beginning', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 30_000, { applied: 100, cpuMs: 900 }, 'us_unheard'));
  expect(await cpuOf(core)).toBe(900n);
  await core.close();
});

test('what a database wrote while no applier was there is nobody’s', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 100, wal: 1_000 }));
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 200, wal: 3_000 }));
  core.forward(86_400_000);
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 300, wal: 9e12 }, 'us_other'));
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 400, wal: 9e12 + 500 }, 'us_other'));
  expect(await rowsOf(core, id)).toMatchObject({ rowsAttempted: 400, walBytes: 2_500 });
  await core.close();
});

test('what has ended leaves the meter with all it used, beside what was estimated, and takes nothing more', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  const { id, cost, progress } = await core.start({ limits: { eventsPerSecond: 100 } });
  const comparisonOf = async () =>
    (await readBackfill(core.ctx, operator, id)).cost?.comparison.find(({ item }) => item === 'store_writes');
  // A dollar for a thousand rows, one for each event: nothing has been learned yet.
  const estimate = (progress.eventsExpected as number) / 1_000;
  expect(Number(cost?.estimate?.likely.amount)).toBe(estimate);
  expect(await comparisonOf()).toMatchObject({ actual: null, ratio: null });
  const applier = await core.join('apply');
  await recordTick(core.ctx, applier, applied(core, id, 1, { applied: 100, wal: 0 }));
  await core.ctx.database
    .update(backfills)
    .set({ state: 'cancelled', endedAt: sql`now() - interval '1 hour'` })
    .where(eq(backfills.id, id));
  core.forward(180_000);
  await recordTick(core.ctx, applier, applied(core, id, 2, { applied: 100, wal: 0 }));
  const before = await rowsOf(core, id);
  const compared = await comparisonOf();
  expect(Number(compared?.estimate?.amount)).toBe(estimate);
  expect(compared).toMatchObject({ actual: { amount: '0.10', currency: 'USD' }, apportioned: false });
  expect(compared?.ratio).toBeCloseTo(0.1 / estimate, 3);
  await archiveMeters(core.ctx);
  expect(await comparisonOf()).toEqual(compared);
  expect(await core.ctx.database.select().from(metered).where(eq(metered.backfillId, id))).toHaveLength(1);
  expect(meterBook(core.ctx).usageOf(core.pipelineId, id)).toBeNull();
  expect(await rowsOf(core, id)).toEqual(before);
  await recordTick(core.ctx, applier, applied(core, id, 3, { applied: 500, wal: 0 }));
  expect(await rowsOf(core, id)).toEqual(before);
  await core.close();
});

test('a budget warns at 80 %, holds before 100 %, and goes on when it is raised', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  await core.join('replay');
  const { id } = await core.start({
    limits: { eventsPerSecond: 100, budget: { amount: '10', currency: 'USD' } },
  });
  const applier = await core.join('apply');
  await core.pass();
  await core.pass();
  const spend = spender(core, applier, id);
  expect(await spend(7_900)).toMatchObject({
    state: 'running',
    warnings: [],
    cost: { budget: { state: 'within', part: 0.79 } },
  });
  const near = await spend(8_100);
  expect(near).toMatchObject({ state: 'running', warnings: [{ code: 'budget_near' }] });
  // Once the meter is known to have all of it, 1,900 rows can be paid for: in the 2.8 s that a grant lasts if it is not renewed, and what may be under way.
  const settled = async (rows: number) => {
    for (let look = 0; look < 6; look++) await spend(rows);
    return (await spend(rows)).effective.ceilings[0];
  };
  const ceiling = await settled(8_100);
  expect(ceiling).toMatchObject({ reason: 'budget', detail: '8.10 of 10.00 USD spent' });
  expect(ceiling?.eventsPerSecond).toBeGreaterThan(400);
  expect(ceiling?.eventsPerSecond).toBeLessThan(1_900 / 2.8);
  expect((await settled(9_600))?.eventsPerSecond).toBeLessThan(400 / 2.8);

  const spent = await spend(9_900);
  expect(spent.holds).toMatchObject([{ reason: 'budget', by: 'spillway' }]);
  expect(spent.effective).toMatchObject({ eventsPerSecond: 0, binding: 'budget' });
  expect(spent.warnings).toMatchObject([{ detail: 'The budget is spent: 9.90 of 10.00 USD spent.' }]);
  expect(['pausing', 'paused']).toContain(spent.state);
  expect(atomsOf(spent.cost?.budget?.spent ?? { amount: '0' })).toBeLessThanOrEqual(
    atomsOf({ amount: '10.1' }),
  );

  await core.run((work) =>
    throttleBackfill(
      core.ctx,
      work,
      operator,
      id,
      { budget: { amount: '20', currency: 'USD' } },
      spent.revision,
    ),
  );
  const raised = await readBackfill(core.ctx, operator, id);
  expect(raised).toMatchObject({ state: 'running', holds: [], warnings: [] });
  expect((await spend(9_900)).state).toBe('running');
  await core.close();
});

test('what a stream has lost is not kept of a budget for ever', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  await core.join('replay');
  const { id } = await core.start({
    limits: { eventsPerSecond: 100, budget: { amount: '10', currency: 'USD' } },
  });
  const applier = await core.join('apply');
  await core.pass(2);
  const spend = spender(core, applier, id);
  const affordable = async (looks: number) => {
    for (let look = 1; look < looks; look++) await spend(9_600, 10_050);
    const { ceilings } = (await spend(9_600, 10_050)).effective;
    return ceilings.find(({ reason }) => reason === 'budget')?.eventsPerSecond;
  };
  // More is published than can be paid for: it may be on its way. That it is not is certain after ten seconds, and 400 events can be paid for.
  expect(await affordable(36)).toBe(0);
  expect(await affordable(8)).toBeGreaterThan(100);
  await core.close();
});

test('of a budget what the proof will cost is kept for it: replay is held before, the proof never', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  const withReads = { ...rowsOnly, prices: { ...rowsOnly.prices, storeReadsPerMillion: '400' } };
  await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, withReads, 'ada'));
  await meterBook(core.ctx).reloadBooks(core.pipelineId);
  await core.join('replay');
  const { id } = await core.start({
    limits: { eventsPerSecond: 100, budget: { amount: '10', currency: 'USD' } },
  });
  const applier = await core.join('apply');
  await core.pass();
  const spend = spender(core, applier, id);
  // 0.001 a row, and 1.15 rows read again at 0.0004.
  expect(await spend(5_000)).toMatchObject({
    state: 'running',
    cost: {
      budget: {
        state: 'within',
        part: 0.5,
        keptForProof: { amount: '2.30' },
        pauseAt: { amount: '7.40' },
      },
    },
  });
  expect(await spend(6_000)).toMatchObject({ state: 'running', warnings: [{ code: 'budget_near' }] });
  const spent = await spend(6_700);
  expect(spent.holds).toMatchObject([
    { reason: 'budget', detail: expect.stringContaining('kept for its proof') },
  ]);
  await core.ctx.database.update(backfills).set({ state: 'verifying' }).where(eq(backfills.id, id));
  expect(await readBackfill(core.ctx, operator, id)).toMatchObject({
    cost: { budget: { keptForProof: { amount: '0.00' }, pauseAt: { amount: '9.70' } } },
  });
  await core.close();
});

test('of what a stream has lost no proof is kept for, nor of what is read again', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  const withReads = { ...rowsOnly, prices: { ...rowsOnly.prices, storeReadsPerMillion: '400' } };
  await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, withReads, 'ada'));
  await meterBook(core.ctx).reloadBooks(core.pipelineId);
  const { id } = await core.start({
    limits: { eventsPerSecond: 100, budget: { amount: '10', currency: 'USD' } },
  });
  const applier = await core.join('apply');
  await core.pass();
  // 3,000 rows of a first reading that published 5,000, and 1,000 of the second, which nothing waits of.
  await core.ctx.database.update(backfills).set({ eventsAgain: 3_000 }).where(eq(backfills.id, id));
  const spend = spender(core, applier, id);
  for (let look = 0; look < 44; look++) await spend(4_000, 6_000);
  expect(await spend(4_000, 6_000)).toMatchObject({
    progress: { eventsDone: 1_000 },
    cost: { budget: { keptForProof: { amount: '0.46' }, pauseAt: { amount: '9.24' } } },
  });
  await core.close();
});

test('the pipeline’s cost: live and each backfill, provisioned against overage', async () => {
  const core = await priced();
  const { id } = await core.start();
  const applier = await core.join('apply');
  await recordTick(core.ctx, applier, applied(core, id, 1, { applied: 3_000, liveRows: 1_000 }));
  expect(await readPipelineCost(core.ctx, core.pipelineId)).toMatchObject({
    priceBookVersion: 1,
    currency: 'USD',
    live: { total: { amount: '1.00' }, writeAmplification: { rowsAttempted: 1_000 } },
    backfills: [{ id, state: 'queued', metered: { total: { amount: '3.00' } } }],
    provisioned: { amount: '0.00' },
    overage: { amount: '4.00' },
  });
  await core.close();
});

test('of more backfills than are listed those at work are among them, and in the sums', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  await core.join('replay');
  const { id } = await core.start();
  await core.pass(2);
  const applier = await core.join('apply');
  await recordTick(core.ctx, applier, applied(core, id, 1, { applied: 3_000 }));
  const { id: waits } = await core.start();
  // Two hundred like the one that waits, after it.
  await core.ctx.database.execute(sql`
    insert into backfills select (jsonb_populate_record(b, jsonb_build_object(
      'id', 'bf_copy_' || n, 'ordinal', b.ordinal + n, 'state', 'queued', 'started_at', null))).*
    from backfills b, generate_series(1, 200) n where b.id = ${waits}`);
  const { backfills: listed, overage } = await readPipelineCost(core.ctx, core.pipelineId);
  expect(overage.amount).toBe('3.00');
  expect(listed).toHaveLength(200);
  // In the order they came, the newest first.
  expect(listed.map((one) => one.id)).toEqual([
    ...Array.from({ length: 199 }, (_, n) => `bf_copy_${200 - n}`),
    id,
  ]);
  await core.close();
});
