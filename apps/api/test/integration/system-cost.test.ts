/** The started demo, metered: a budget that holds, processes that are killed on the way, and the same quantities counted independently. */
import type { Backfill } from '@spillway/shared/api/backfill';
import type { MeteredCost, PipelineCost, PutPriceBook } from '@spillway/shared/api/cost';
import { pricePresets } from '@spillway/shared/cost/presets';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBackfill, startBackfill, throttle, untilState } from '../system/backfills.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import { configurePipeline } from '../system/pipelines.ts';
import { pidOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, signal } from '../system/started-system.ts';
import { openStoreLog } from '../system/store-log.ts';
import { until } from '../system/until.ts';

/** A dollar for a thousand rows. */
const cloud: PutPriceBook = pricePresets['example-cloud'];
const free = Object.fromEntries(Object.keys(cloud.prices).map((name) => [name, '0']));
const rowsOnly: PutPriceBook = {
  ...cloud,
  prices: { ...(free as PutPriceBook['prices']), storeWritesPerMillion: '1000' },
};
const RATE = 1_500;
/** Two days that lie 181 days apart: the same flights, another lap. */
const dayOfLap = (lap: number) => {
  const from = Date.UTC(2001, 1, 5) + lap * 181 * 86_400_000;
  return { from: new Date(from).toISOString(), to: new Date(from + 2 * 86_400_000).toISOString() };
};

let system: StartedSystem;
beforeAll(async () => {
  system = await startMeasuredSystem();
  await configurePipeline(system, {
    priceBook: rowsOnly,
    signals: { liveFreshnessMsP99: { target: 60_000, failMode: 'bad' } },
  });
}, 300_000);
afterAll(async () => {
  await system?.remove();
});

const metered = ({ cost }: Backfill) => cost?.metered as MeteredCost;
const amount = ({ amount: text }: { amount: string }) => Number(text);
const quantity = (cost: MeteredCost, item: string) =>
  Number(cost.items.find((one) => one.item === item)?.quantity);
const handled = ({ progress }: Backfill) =>
  progress.eventsApplied + progress.eventsDuplicate + progress.eventsQuarantined;
const start = (lap: number, limits: object = {}) =>
  startBackfill(system, {
    window: dayOfLap(lap),
    subwindow: 'PT1H',
    limits: { eventsPerSecond: RATE, ...limits },
  });
const settled = (id: string) =>
  until('the meter to settle', async () => {
    const seen = await readBackfill(system, id);
    return metered(seen)?.writeAmplification.rowsAttempted === handled(seen) && seen;
  });

it('holds within its budget, and counts once although api and workers are killed', {
  timeout: 300_000,
}, async () => {
  const { id, progress } = await start(1, { budget: { amount: '20', currency: 'USD' } });
  expect(progress.eventsExpected).toBeGreaterThan(20_000);
  await untilState(system, id, 'paused');
  const held = await until('what was published to be applied', async () => {
    const seen = await readBackfill(system, id);
    return handled(seen) === seen.progress.eventsPublished && seen;
  });
  expect(held.holds).toMatchObject([{ reason: 'budget', by: 'spillway' }]);
  expect(held.warnings.map(({ code }) => code)).toContain('budget_near');
  const spend = amount(metered(await settled(id)).spend);
  console.info(`budget 20.00, spent ${spend} when held (${((spend / 20) * 100).toFixed(2)} %)`);
  expect(spend).toBeLessThanOrEqual(20 * 1.01);
  expect(spend).toBeGreaterThan(20 * 0.9);
  expect(held.cost).toMatchObject({ budget: { pauseAt: { amount: '19.40' } } });

  await throttle(system, id, { budget: null });
  for (const role of ['api', 'replay worker', 'apply worker'] as const) {
    const before = await until('an answer', () => readBackfill(system, id).catch(() => null));
    await until('progress', async () => {
      const seen = await readBackfill(system, id).catch(() => null);
      return seen !== null && handled(seen) > handled(before) + RATE / 2;
    });
    const pid = await pidOf(system, role);
    signal(pid, 'SIGKILL');
    await successorOf(system, role, pid);
  }
  await until(
    'its end',
    async () => (await readBackfill(system, id).catch(() => null))?.state === 'completed',
  );
  const killed = metered(await settled(id));

  expect(quantity(killed, 'source_scan')).toBeGreaterThan(0);
  // Everything is on this machine: nothing crossed a network, and that was counted.
  expect(quantity(killed, 'egress')).toBe(0);
  expect(killed.items.find(({ item }) => item === 'egress')).toMatchObject({ quantity: '0' });

  const other = await start(2);
  await untilState(system, other.id, 'completed');
  const straight = metered(await settled(other.id));
  expect(killed.writeAmplification.rowsInserted).toBe(straight.writeAmplification.rowsInserted);
  // What an attempt had published when it was killed is published again, and comes to a duplicate; it is attempted all the same.
  const noop = killed.writeAmplification.rowsNoop ?? Number.NaN;
  expect(amount(killed.spend) - amount(straight.spend)).toBeCloseTo(noop / 1000, 6);
  // Delivered entries are told by ticks alone: what a kill loses of them is one tick.
  const [lost, tick] = [
    quantity(straight, 'stream_operations') + 2 * noop - quantity(killed, 'stream_operations'),
    RATE * 0.25 * 2,
  ];
  console.info(
    `lost of ${quantity(straight, 'stream_operations')} stream operations: ${lost}; a tick is ${tick}`,
  );
  expect(Math.abs(lost)).toBeLessThanOrEqual(3 * tick);
});

it('agrees with an independent recount: events, and the log of the database', {
  timeout: 200_000,
}, async () => {
  const log = await openStoreLog(system.dataDir);
  const total = async () => {
    const cost: PipelineCost = (await system.call('GET', '/v1/pipelines/flights/cost')).body;
    const all = [cost.live, ...cost.backfills.map((one) => one.metered)];
    return all.reduce((sum, one) => sum + (one?.writeAmplification.walBytes ?? 0), 0);
  };
  /** What the database says, and what the meter says a reading of the log later: at both ends as late. */
  const both = async () => {
    const lsn = await log.position();
    for (let readings = 0, last = await total(); readings < 2; readings++)
      last = await until('the log to be read', async () => {
        const seen = await total();
        return seen !== last && seen;
      });
    return [lsn, await total()] as const;
  };
  const [lsnBefore, walBefore] = await both();
  const { id, progress } = await start(3);
  const done = await untilState(system, id, 'completed');
  const cost = metered(await settled(id));
  const [lsnAfter, walAfter] = await both();
  await log.close();
  const ratio = (walAfter - walBefore) / (lsnAfter - lsnBefore);
  console.info(
    `log: metered ${walAfter - walBefore}, PostgreSQL ${lsnAfter - lsnBefore}, ratio ${ratio.toFixed(4)}`,
  );
  expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
  expect(cost.writeAmplification).toMatchObject({ rowsAttempted: progress.eventsExpected, rowsNoop: 0 });
  // Written and delivered once each, and a marker for every run.
  const entries = quantity(cost, 'stream_operations') / 2 / (progress.eventsExpected as number);
  expect(Math.abs(entries - 1)).toBeLessThan(0.01);
  expect(quantity(cost, 'compute')).toBeGreaterThan(0);
  const entryBytes = (cost.publishedBytes ?? Number.NaN) / (progress.eventsExpected as number);
  console.info(`an entry of the flights: ${entryBytes.toFixed(1)} bytes`);
  expect(entryBytes).toBeGreaterThan(40);
  expect(entryBytes).toBeLessThan(200);
  expect(done.cost?.forecast?.likely).toEqual(cost.spend);
});
