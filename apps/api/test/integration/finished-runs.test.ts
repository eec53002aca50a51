/** What is kept of a completed run for later quotes, and which runs are none to learn from. */
import { RUNS_KEPT } from '@spillway/shared/cost/coefficients';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import type { BackfillRow } from '../../src/control-plane/backfill/transition.ts';
import { finishedRunsOf, recordFinishedRun } from '../../src/control-plane/cost/finished-runs.ts';
import { recordUsage } from '../../src/control-plane/cost/record-usage.ts';
import { backfills, finishedRuns, ledger } from '../../src/control-plane/database/schema.ts';
import { type Core, type CoreOptions, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { applied, pricedCore } from '../fixtures/metered-pipeline.ts';

let database: ControlDatabase;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

const priced = (options?: CoreOptions) => pricedCore(database.url, options);

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
    pipeline: CoreOptions['pipeline'] = {},
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
