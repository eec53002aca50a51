/** The price book of what is metered: changed while things go on, and what it provisions minute by minute of the clock. */
import type { PutPriceBook } from '@spillway/shared/api/cost';
import { PRESETS_DATED, pricePresets } from '@spillway/shared/cost/presets';
import { SLOT_MS } from '@spillway/shared/cost/slots';
import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { meterBook } from '../../src/control-plane/cost/meter-book.ts';
import { readPipelineCost } from '../../src/control-plane/cost/pipeline-cost.ts';
import { putPriceBook } from '../../src/control-plane/cost/price-books.ts';
import { recordUsage } from '../../src/control-plane/cost/record-usage.ts';
import { priceBooks } from '../../src/control-plane/database/schema.ts';
import { recordTick } from '../../src/control-plane/workers/tick.ts';
import { type Core, type CoreOptions, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { applied, dearer, pricedCore, rowsOnly } from '../fixtures/metered-pipeline.ts';

let database: ControlDatabase;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

const priced = (options?: CoreOptions) => pricedCore(database.url, options);

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
  const example = await core.run(({ tx }) =>
    putPriceBook(tx, core.pipelineId, pricePresets['example-cloud'], 'ada'),
  );
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

test('a change while workers are still coming back to an api waits for them: what they used before it has what was paid for then', async () => {
  const core = await priced();
  const live = await liveByTheMinute(core);
  const bookOfLive = async () => (await readPipelineCost(core.ctx, core.pipelineId)).live?.priceBookVersion;
  await live.pay(10);
  await live.told();
  await live.at(0, 0, 'us_one');
  await live.at(0, 0, 'us_two');
  meterBook(core.ctx).forget(core.pipelineId);
  await live.at(270, 1_350, 'us_one');
  await live.pay(2);
  await live.told();
  await live.at(273, 1_365, 'us_two');
  expect(await bookOfLive()).toBe(2);
  expect(await live.at(280, 1_365, 'us_two')).toEqual(['2.715', '0.00']);
  expect(await bookOfLive()).toBe(3);
  // Of 500 rows in the twenty seconds that are left of the minute forty.
  await live.at(290, 1_365, 'us_two');
  await live.at(300, 1_865, 'us_two');
  expect(await live.at(360, 1_865, 'us_two')).toEqual(['2.755', '0.46']);
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
