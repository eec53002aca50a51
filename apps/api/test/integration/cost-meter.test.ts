/** The meter on a real control database: what ticks tell is counted once, whoever dies in between. */
import type { PutPriceBook } from '@spillway/shared/api/cost';
import type { UsageReport } from '@spillway/shared/api/usage-report';
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { RUNS_KEPT } from '@spillway/shared/cost/coefficients';
import { atomsOf } from '@spillway/shared/cost/money';
import { PRESETS_DATED, pricePresets } from '@spillway/shared/cost/presets';
import { SLOT_MS } from '@spillway/shared/cost/slots';
import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { throttleBackfill } from '../../src/control-plane/backfill/throttle.ts';
import type { BackfillRow } from '../../src/control-plane/backfill/transition.ts';
import { archiveMeters } from '../../src/control-plane/cost/archive.ts';
import { finishedRunsOf, recordFinishedRun } from '../../src/control-plane/cost/finished-runs.ts';
import { meterBook } from '../../src/control-plane/cost/meter-book.ts';
import { readPipelineCost } from '../../src/control-plane/cost/pipeline-cost.ts';
import { putPriceBook } from '../../src/control-plane/cost/price-books.ts';
import { recordUsage } from '../../src/control-plane/cost/record-usage.ts';
import {
  backfills,
  finishedRuns,
  ledger,
  metered,
  priceBooks,
} from '../../src/control-plane/database/schema.ts';
import { recordTick } from '../../src/control-plane/workers/tick.ts';
import { type Core, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { emptyApply, emptyStream } from '../fixtures/ticks.ts';

let database: ControlDatabase;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

/** A dollar for a thousand rows, and nothing else has a price. */
const cloud: PutPriceBook = pricePresets['example-cloud'];
const free = Object.fromEntries(Object.keys(cloud.prices).map((name) => [name, '0']));
const rowsOnly: PutPriceBook = {
  ...cloud,
  prices: { ...(free as PutPriceBook['prices']), storeWritesPerMillion: '1000' },
};

const dearer = { ...rowsOnly, prices: { ...rowsOnly.prices, storeWritesPerMillion: '2000' } };

async function priced(options: Parameters<typeof openCore>[1] = {}): Promise<Core> {
  const core = await openCore(database.url, { stillClock: true, ...options });
  await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, rowsOnly, 'ada'));
  return core;
}

/** Series that have told something to each: what comes after says that something has arrived. */
const heard = new WeakMap<Core, Set<string>>();

/** A tick of an applier: the store's counts of a backfill, and what its process has used. */
function applied(
  core: Core,
  backfillId: string,
  sequence: number,
  counts: { applied: number; duplicate?: number; wal?: number; cpuMs?: number; liveRows?: number },
  series = 'us_apply',
): Tick {
  const { applied, duplicate = 0, wal = null, cpuMs = 0, liveRows = 0 } = counts;
  const before = heard.get(core) ?? new Set<string>();
  const usage: UsageReport = {
    pipelineId: core.pipelineId,
    series,
    sequence,
    ageMs: sequence * 250,
    arrived: before.has(series),
    own: [{ backfillId: null, use: { rowsAttempted: String(liveRows) } }],
    shared: { cpuMs: String(cpuMs) },
  };
  heard.set(core, before.add(series));
  return {
    sequence,
    leases: [],
    quarantined: [],
    replay: null,
    feed: null,
    rssBytes: 1,
    cpuMs: 1,
    usage: [usage],
    apply: {
      ...emptyApply,
      streams: [emptyStream(`${core.pipelineId}-replay`)],
      counters: [{ backfillId, applied, duplicate, quarantined: 0 }],
      store: { ...emptyApply.store, walBytes: wal },
    },
  };
}

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
  return async (rows: number) => {
    await recordTick(core.ctx, applier, applied(core, id, ++sequence, { applied: rows }));
    await core.ctx.database.update(backfills).set({ eventsPublished: rows }).where(eq(backfills.id, id));
    core.forward(250);
    await core.pass();
    return readBackfill(core.ctx, operator, id);
  };
}

test('a pipeline without a price book has no cost, and takes no budget', async () => {
  const core = await openCore(database.url);
  const backfill = await core.start();
  expect(backfill.cost).toBeNull();
  await expect(core.start({ limits: { budget: { amount: '1', currency: 'USD' } } })).rejects.toMatchObject({
    code: 'invalid_request',
    errors: [{ pointer: '/limits/budget' }],
  });
  await core.close();
});

test('a price book is a version; what began under one is priced by it to its end', async () => {
  const core = await priced();
  const first = await core.start();
  const example = await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, cloud, 'ada'));
  expect(example).toMatchObject({ version: 2, exampleOf: PRESETS_DATED, changedBy: 'ada' });
  await meterBook(core.ctx).reloadBooks(core.pipelineId);
  const applier = await core.join('apply');
  await recordTick(core.ctx, applier, applied(core, first.id, 1, { applied: 2_000 }));
  const { cost } = await readBackfill(core.ctx, operator, first.id);
  expect(cost?.metered).toMatchObject({ priceBookVersion: 1, spend: { amount: '2.00', currency: 'USD' } });
  await expect(
    core.run(({ tx }) =>
      putPriceBook(
        tx,
        core.pipelineId,
        { ...rowsOnly, currency: 'XXQ', prices: { ...rowsOnly.prices, walPerGib: '-1' } },
        'ada',
      ),
    ),
  ).rejects.toMatchObject({
    code: 'invalid_request',
    errors: [{ pointer: '/priceBook/currency' }, { pointer: '/priceBook/prices/walPerGib' }],
  });
  await core.close();
});

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
  // 1,900 rows can be paid for, and it takes a second or so to slow down.
  const [ceiling] = near.effective.ceilings;
  expect(ceiling).toMatchObject({ reason: 'budget', detail: '8.10 of 10.00 USD spent' });
  expect(ceiling?.eventsPerSecond).toBeGreaterThan(300);
  expect(ceiling?.eventsPerSecond).toBeLessThan(1_900);
  expect((await spend(9_600)).effective.ceilings[0]?.eventsPerSecond).toBeLessThan(400);

  const spent = await spend(9_900);
  expect(spent.holds).toMatchObject([{ reason: 'budget', by: 'spillway' }]);
  expect(spent.effective).toMatchObject({ eventsPerSecond: 0, binding: 'budget' });
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

test('a completed run is kept for later quotes, with the model of its rate', async () => {
  const core = await priced({ capacityEventsPerSecond: 1_000 });
  const { id } = await core.start({ limits: { eventsPerSecond: 100 } });
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 8_000 }));
  const [row] = await core.ctx.database
    .update(backfills)
    .set({ startedAt: sql`now() - interval '10 seconds'`, eventsExpected: 8_000 })
    .where(eq(backfills.id, id))
    .returning();
  await core.run(({ tx }) => recordFinishedRun(core.ctx, tx, row as BackfillRow));
  const [run] = await finishedRunsOf(core.ctx, core.ctx.database, core.pipelineId);
  expect(run).toMatchObject({ events: 8_000, usage: { rowsAttempted: 8_000n, rowsInserted: 8_000n } });
  expect(run?.seconds).toBeCloseTo(10, 0);
  // What its start was modelled at: 800 events at 100 a second, and what comes before and after them.
  expect(run?.modelled.seconds).toBe(row?.estimate?.modelled?.seconds);
  expect(run?.modelled.seconds).toBeGreaterThan(8);
  // What a last tick tells after its completion is part of what it used.
  await recordUsage(core.ctx, applied(core, id, 2, { applied: 8_500 }));
  const [later] = await finishedRunsOf(core.ctx, core.ctx.database, core.pipelineId);
  expect(later?.usage.rowsAttempted).toBe(8_500n);
  await core.close();
});

describe('the pause of the applier, as the peak of its stream tells', () => {
  const finished = async (
    over: Partial<typeof backfills.$inferInsert>,
    pipeline: NonNullable<Parameters<typeof priced>[0]>['pipeline'] = {},
    meanwhile: (core: Core, id: string) => Promise<unknown> = async () => undefined,
    seconds: Readonly<Record<string, number>> = { operator: 7.5, adaptive: 0.5 },
  ) => {
    const core = await priced({ capacityEventsPerSecond: 10_000, pipeline: { ...pipeline } });
    const { id } = await core.start({ limits: { eventsPerSecond: 1_000 } });
    await recordUsage(core.ctx, applied(core, id, 1, { applied: 8_000 }));
    await core.ctx.database
      .insert(ledger)
      .values(Object.entries(seconds).map(([reason, one]) => ({ backfillId: id, reason, seconds: one })));
    await meanwhile(core, id);
    const [row] = await core.ctx.database
      .update(backfills)
      .set({ startedAt: sql`now() - interval '2 seconds'`, eventsExpected: 8_000, ...over })
      .where(eq(backfills.id, id))
      .returning();
    await core.run(({ tx }) => recordFinishedRun(core.ctx, tx, row as BackfillRow));
    const [run] = await finishedRunsOf(core.ctx, core.ctx.database, core.pipelineId);
    await core.close();
    return run?.longestPauseMs;
  };

  test('is kept of a run that was alone at its rate', async () => {
    // At 1,000/s a quarter of a second is applied and not trimmed, and some wait: less than 350 without a pause.
    const pauseMs = await finished({ streamPeak: 450 });
    expect(pauseMs).toBeGreaterThan(100);
    expect(pauseMs).toBeLessThan(200);
  });

  test.each([
    ['nothing was appended', { streamPeak: 0 }, {}],
    ['the stream was full', { streamPeak: 450 }, { highWaterMark: 450 }],
    ['live shares the stream', { streamPeak: 450 }, { route: 'shared' }],
  ] as const)('is not when %s', async (_, over, pipeline) => {
    expect(await finished(over as Partial<typeof backfills.$inferInsert>, pipeline)).toBeNull();
  });

  // 8,000 events at 1,000 a second. What held it made its peak lower: that is no short pause.
  test.each([
    ['the governor held it a little below its rate', { operator: 4, live_first: 5 }],
    ['its source was too slow for its rate, by a fifth', { operator: 11.3 }],
    ['nobody watched it for half of the time', { operator: 4 }],
  ])('nor when %s', async (_, seconds) => {
    expect(await finished({ streamPeak: 300 }, {}, undefined, seconds)).toBeNull();
  });

  test('but when it was held for a while, and went at its rate before and after', async () => {
    expect(
      await finished({ streamPeak: 450 }, {}, undefined, { operator: 8, hold: 600, budget: 30 }),
    ).toBeGreaterThan(100);
  });

  test('nor beside another backfill', async () => {
    expect(
      await finished({ streamPeak: 450 }, {}, async (core) => {
        const other = await core.start({
          window: { from: '2001-01-05T00:00:00Z', to: '2001-01-06T00:00:00Z' },
        });
        await core.ctx.database
          .update(backfills)
          .set({ startedAt: sql`now()` })
          .where(eq(backfills.id, other.id));
      }),
    ).toBeNull();
  });
});

test('small runs do not push out what later quotes learn from', async () => {
  const core = await priced();
  const finish = async (rows: number, daysAgo: number) => {
    const { id } = await core.start();
    await recordUsage(core.ctx, applied(core, id, 1, { applied: rows }, `us_${id}`));
    const [row] = await core.ctx.database
      .update(backfills)
      .set({ startedAt: sql`now() - interval '10 seconds'`, eventsExpected: rows })
      .where(eq(backfills.id, id))
      .returning();
    await core.run(({ tx }) => recordFinishedRun(core.ctx, tx, row as BackfillRow));
    await core.ctx.database
      .update(finishedRuns)
      .set({ finishedAt: sql`now() - ${daysAgo} * interval '1 day'` })
      .where(eq(finishedRuns.backfillId, id));
    return id;
  };
  await finish(50_000, 30);
  for (let small = 0; small < RUNS_KEPT; small += 1) await finish(10, small);
  expect(
    (await finishedRunsOf(core.ctx, core.ctx.database, core.pipelineId)).map(({ events }) => events),
  ).toEqual([50_000]);
  await core.close();
});

test('a run that had failed and was retried is none to learn from', async () => {
  const core = await priced();
  const { id } = await core.start();
  await recordUsage(core.ctx, applied(core, id, 1, { applied: 8_000 }));
  const [row] = await core.ctx.database
    .update(backfills)
    .set({
      startedAt: sql`now() - interval '10 hours'`,
      eventsExpected: 8_000,
      state: 'failed',
      endedAt: sql`now()`,
    })
    .where(eq(backfills.id, id))
    .returning();
  await core.run((work) => retryBackfill(core.ctx, work, operator, id));
  await core.run(({ tx }) => recordFinishedRun(core.ctx, tx, row as BackfillRow));
  expect(await finishedRunsOf(core.ctx, core.ctx.database, core.pipelineId)).toEqual([]);
  await core.close();
});

test('a change of prices is no spend', async () => {
  const core = await priced();
  const { id } = await core.start();
  const applier = await core.join('apply');
  let sequence = 0;
  const perHourAfter = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      core.forward(1_000);
      await recordTick(core.ctx, applier, applied(core, id, ++sequence, { applied: 0, liveRows: 1_000_000 }));
      await readPipelineCost(core.ctx, core.pipelineId);
    }
    return (await readPipelineCost(core.ctx, core.pipelineId)).live?.spendPerHour;
  };
  expect(await perHourAfter(10)).toMatchObject({ amount: '0.00' });
  await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, dearer, 'ada'));
  await meterBook(core.ctx).reloadBooks(core.pipelineId);
  expect(await perHourAfter(10)).toMatchObject({ amount: '0.00' });
  await core.close();
});

test.each([
  ['at once', (core: Core) => meterBook(core.ctx).reloadBooks(core.pipelineId)],
  // Whoever changed it dies before the meter is told; so does whoever is told by the database, before anything is stored.
  ['by an api that comes after', async (core: Core) => meterBook(core.ctx).forget(core.pipelineId)],
])('what live has spent stays spent when prices change, noticed %s', async (_when, notice) => {
  const core = await priced();
  const { id } = await core.start();
  const applier = await core.join('apply');
  let sequence = 0;
  const spentAfter = async (liveRows: number) => {
    await recordTick(core.ctx, applier, applied(core, id, ++sequence, { applied: 0, liveRows }));
    return (await readPipelineCost(core.ctx, core.pipelineId)).live;
  };
  expect(await spentAfter(1_000)).toMatchObject({ total: { amount: '1.00' }, priceBookVersion: 1 });
  await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, dearer, 'ada'));
  await notice(core);
  core.forward(120_000);
  expect((await readPipelineCost(core.ctx, core.pipelineId)).live).toMatchObject({
    total: { amount: '1.00' },
    priceBookVersion: 2,
  });
  const after = {
    total: { amount: '2.00' },
    spend: { amount: '2.00' },
    writeAmplification: { rowsAttempted: 1_500 },
  };
  expect(await spentAfter(1_500)).toMatchObject(after);
  // And is read again so, once stored.
  meterBook(core.ctx).forget(core.pipelineId);
  expect((await readPipelineCost(core.ctx, core.pipelineId)).live).toMatchObject(after);
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

/** A pipeline whose live uses so many rows, at so many seconds after the begin of a minute: what is paid for of them and what is beyond, dollars. */
async function liveByTheMinute(core: Core) {
  const { id } = await core.start();
  const minute = Math.ceil(core.ctx.clock.now() / SLOT_MS) * SLOT_MS;
  const sequences = new Map<string, number>();
  const to = (seconds: number) => core.forward(minute + seconds * 1_000 - core.ctx.clock.now());
  return {
    to,
    async pay(storeOperationsPerSecond: number, over: Partial<PutPriceBook> = {}) {
      const provisioned = { cores: 0, storeOperationsPerSecond, streamBytes: 0 };
      await core.run(({ tx }) =>
        putPriceBook(tx, core.pipelineId, { ...rowsOnly, ...over, provisioned }, 'ada'),
      );
    },
    told: () => meterBook(core.ctx).reloadBooks(core.pipelineId),
    /** Whoever changed the book dies before the meter is told: another reads of it, and that it was now. */
    async untold() {
      const newest = sql`(select max(version) from price_books where pipeline_id = ${core.pipelineId})`;
      await core.ctx.database
        .update(priceBooks)
        .set({ changedAt: new Date(core.ctx.clock.now()) })
        .where(and(eq(priceBooks.pipelineId, core.pipelineId), eq(priceBooks.version, newest)));
      meterBook(core.ctx).forget(core.pipelineId);
    },
    async at(seconds: number, liveRows: number, series = 'us_apply') {
      to(seconds);
      const sequence = (sequences.get(series) ?? 0) + 1;
      sequences.set(series, sequence);
      await recordUsage(core.ctx, applied(core, id, sequence, { applied: 0, liveRows }, series));
      if ((await meterBook(core.ctx).load(core.pipelineId)).books.length === 0) return [];
      const { live } = await readPipelineCost(core.ctx, core.pipelineId);
      return [live?.provisioned.amount, live?.overage.amount];
    },
  };
}

test.each([
  // Half a minute of the first, four and a half of the second, of 5,200 rows; the last twenty seconds of use have their whole minute's.
  ['less', 10, 2, ['0.84', '4.36']],
  ['more', 2, 10, ['2.56', '2.64']],
])(
  '%s is paid for from the middle of a minute on: what was absorbed stays so, what comes after has its part',
  async (_what, before, after, end) => {
    const core = await priced();
    const live = await liveByTheMinute(core);
    await live.pay(before);
    await live.told();
    await live.at(0, 0);
    // Twenty rows a second, a dollar for a thousand.
    const half = await live.at(30, 600);
    expect(half).toEqual([(0.03 * before).toFixed(2), (0.6 - 0.03 * before).toFixed(2)]);
    await live.pay(after);
    await live.told();
    expect(await live.at(30, 600)).toEqual(half);
    await live.at(60, 1_200);
    await live.at(120, 2_400);
    await live.at(260, 5_200);
    expect(await live.at(330, 5_200)).toEqual(end);
    await core.close();
  },
);

test('a change of prices alone ends no minute: its second half uses what the first has left', async () => {
  const core = await priced();
  const live = await liveByTheMinute(core);
  await live.pay(10);
  await live.told();
  await live.at(0, 0);
  expect(await live.at(30, 0)).toEqual(['0.00', '0.00']);
  await live.pay(10, { title: 'The same at another price', prices: dearer.prices });
  await live.told();
  await live.at(60, 600);
  expect(await live.at(330, 600)).toEqual(['1.20', '0.00']);
  await core.close();
});

test.each([
  ['at once', 'told'],
  ['by an api that comes after', 'untold'],
] as const)(
  'the first price book provisions from when it is made, not from the begin of its minute, noticed %s',
  async (_when, notice) => {
    const core = await openCore(database.url, { stillClock: true });
    const live = await liveByTheMinute(core);
    await live.at(0, 0);
    await live.at(30, 600);
    await live.pay(10);
    await live[notice]();
    expect(await live.at(30, 600)).toEqual(['0.00', '0.60']);
    await live.at(60, 1_200);
    expect(await live.at(330, 1_200)).toEqual(['0.30', '0.90']);
    await core.close();
  },
);

test('an api that died before it told the meter of a change: it is settled as of then, and live had its part of each minute since', async () => {
  const core = await priced();
  const live = await liveByTheMinute(core);
  await live.pay(10);
  await live.told();
  await live.at(0, 0);
  const half = await live.at(30, 600);
  await live.pay(2);
  await live.untold();
  live.to(240);
  // Whoever comes first asks what it is now, before any worker is back.
  const { live: asked } = await readPipelineCost(core.ctx, core.pipelineId);
  expect([asked?.provisioned.amount, asked?.overage.amount]).toEqual(half);
  await live.at(260, 5_200);
  expect(await live.at(330, 5_200)).toEqual(['0.84', '4.36']);
  await core.close();
});

test('workers that come back one after the other to an api that was down have their part of the minutes it was', async () => {
  const core = await priced();
  const live = await liveByTheMinute(core);
  await live.pay(10);
  await live.told();
  await live.at(0, 0, 'us_one');
  await live.at(0, 0, 'us_two');
  meterBook(core.ctx).forget(core.pipelineId);
  // Five rows a second each: what is paid for.
  await live.at(270, 1_350, 'us_one');
  await live.at(273, 1_365, 'us_two');
  expect(await live.at(330, 1_350, 'us_one')).toEqual(['2.715', '0.00']);
  await core.close();
});

test('a run that crosses what is paid for already is split exactly, minute by minute, and live has its part first', async () => {
  const core = await priced();
  // Ten rows a second are paid for: 600 a minute.
  const paid: PutPriceBook = {
    ...rowsOnly,
    provisioned: { cores: 0, storeOperationsPerSecond: 10, streamBytes: 0 },
    spendCounts: 'overage',
  };
  await core.run(({ tx }) => putPriceBook(tx, core.pipelineId, paid, 'ada'));
  await meterBook(core.ctx).reloadBooks(core.pipelineId);
  const { id } = await core.start();
  const applier = await core.join('apply');
  const minute = Math.ceil(core.ctx.clock.now() / SLOT_MS) * SLOT_MS;
  let sequence = 0;
  const tick = async (seconds: number, rows: number, liveRows: number) => {
    core.forward(minute + seconds * 1_000 - core.ctx.clock.now());
    await recordTick(core.ctx, applier, applied(core, id, ++sequence, { applied: rows, liveRows }));
    const { live, backfills: listed, ...all } = await readPipelineCost(core.ctx, core.pipelineId);
    const parts = (cost: typeof live | undefined) => [cost?.provisioned.amount, cost?.overage.amount];
    expect(listed[0]?.metered?.spend).toEqual(listed[0]?.metered?.overage);
    return {
      live: parts(live),
      backfill: parts(listed[0]?.metered),
      all: [all.provisioned.amount, all.overage.amount],
    };
  };
  await tick(0, 0, 0);
  // In the first minute both fit; half way through it half of the 600 are there, of which live has its hundred.
  expect(await tick(30, 400, 100)).toMatchObject({ live: ['0.10', '0.00'], backfill: ['0.20', '0.20'] });
  expect(await tick(60, 400, 100)).toMatchObject({ live: ['0.10', '0.00'], backfill: ['0.40', '0.00'] });
  // In the second live takes 200 of the 600, the run 400 of its 1,000.
  await tick(90, 1_400, 300);
  const split = { live: ['0.30', '0.00'], backfill: ['0.80', '0.60'], all: ['1.10', '0.60'] };
  expect(await tick(120, 1_400, 300)).toEqual(split);
  // What the minutes after it do not use makes up for nothing, once all of them are settled.
  expect(await tick(240, 1_400, 300)).toEqual(split);
  await core.close();
});
