/** The started demo, metered: a budget that holds, processes that are killed on the way, and the same quantities counted independently. */
import type { Backfill } from '@spillway/shared/api/backfill';
import type { MeteredCost, PipelineCost, PutPriceBook } from '@spillway/shared/api/cost';
import { pricePresets } from '@spillway/shared/cost/presets';
import type { Usage, UsageCounter } from '@spillway/shared/cost/usage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { appliedIn, readBackfill, startBackfill, throttle, untilState } from '../system/backfills.ts';
import { cpuMsOf } from '../system/cpu.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import { countersOf } from '../system/meter-counters.ts';
import { configurePipeline } from '../system/pipelines.ts';
import { pidOf, pidsOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, signal } from '../system/started-system.ts';
import { openStoreLog, type StoreLog } from '../system/store-log.ts';
import { witnessStream } from '../system/stream-witness.ts';
import { until } from '../system/until.ts';

/** A dollar for a thousand rows. */
const cloud: PutPriceBook = pricePresets['example-cloud'];
const free = Object.fromEntries(Object.keys(cloud.prices).map((name) => [name, '0']));
const rowsOnly: PutPriceBook = {
  ...cloud,
  prices: { ...(free as PutPriceBook['prices']), storeWritesPerMillion: '1000' },
};
const RATE = 1_500;
const LANES = 4;
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
const handled = (backfill: Backfill) => appliedIn(backfill) + backfill.progress.eventsQuarantined;
const start = (lap: number, limits: object = {}) =>
  startBackfill(system, {
    window: dayOfLap(lap),
    subwindow: 'PT1H',
    limits: { eventsPerSecond: RATE, ...limits },
  });
/** Three ticks without a word: the last of a run tell of its proof, and come after its completion. */
const RESTS_MS = 750;
const settled = (id: string) => {
  let told = '';
  let sinceMs = 0;
  return until('the meter to settle', async () => {
    const seen = await readBackfill(system, id);
    const items = JSON.stringify(metered(seen)?.items);
    if (items !== told) [told, sinceMs] = [items, Date.now()];
    const rests = Date.now() - sinceMs >= RESTS_MS;
    return rests && metered(seen)?.writeAmplification.rowsAttempted === handled(seen) && seen;
  });
};

/** What PostgreSQL and the kernel say, and what the meter says a reading of the log later: at both ends as late. */
async function othersCount(log: StoreLog) {
  const walBytes = await log.position();
  const workers = (['replay worker', 'apply worker', 'feed'] as const).flatMap((role) =>
    pidsOf(system, role),
  );
  const cpuMs = workers.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
  const atMs = Date.now();
  for (let readings = 0, last = await meteredOfAll(); readings < 2; readings++)
    last = await until('the log to be read', async () => {
      const seen = await meteredOfAll();
      return seen.walBytes !== last.walBytes && seen;
    });
  return { walBytes, cpuMs, atMs, metered: await meteredOfAll() };
}

async function lastTickAtMs(workerPid: number): Promise<number> {
  const { items } = (await system.call('GET', '/v1/workers')).body;
  return Date.parse(items.find(({ pid }: { pid: number }) => pid === workerPid).lastTickAt);
}

async function meteredOfAll() {
  const cost: PipelineCost = (await system.call('GET', '/v1/pipelines/flights/cost')).body;
  const all = [cost.live, ...cost.backfills.map((one) => one.metered)].filter((one) => one !== null);
  const sum = (of: (one: MeteredCost) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    walBytes: sum(({ writeAmplification }) => writeAmplification.walBytes ?? 0),
    cpuMs: sum((one) => quantity(one, 'compute') || 0),
  };
}

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

  // From here on the log and the processes are counted by others, too.
  const log = await openStoreLog(system.dataDir);
  const before = await othersCount(log);
  let goneCpuMs = 0;
  let tickMs = 250;
  await throttle(system, id, { budget: null });
  for (const role of ['api', 'replay worker', 'apply worker'] as const) {
    const seen = await until('an answer', () => readBackfill(system, id).catch(() => null));
    await until('progress', async () => {
      const now = await readBackfill(system, id).catch(() => null);
      return now !== null && handled(now) > handled(seen) + RATE / 2;
    });
    const pid = await pidOf(system, role);
    // A worker whose api has just come back has more to tell than a tick.
    const heardFromMs = Date.now();
    if (role !== 'api') await until('its tick', async () => (await lastTickAtMs(pid)) > heardFromMs);
    const askedAtMs = Date.now();
    const toldAtMs = role === 'api' ? askedAtMs : await lastTickAtMs(pid);
    const answerMs = Date.now() - askedAtMs;
    if (role !== 'api') goneCpuMs += cpuMsOf(pid);
    signal(pid, 'SIGKILL');
    tickMs = Math.max(tickMs, Date.now() - toldAtMs + answerMs);
    await successorOf(system, role, pid);
  }
  await until(
    'its end',
    async () => (await readBackfill(system, id).catch(() => null))?.state === 'completed',
  );
  const killed = metered(await settled(id));
  const after = await othersCount(log);
  await log.close();
  const killedCounters = await countersOf(system.dataDir, id);

  expect(quantity(killed, 'source_scan')).toBeGreaterThan(0);
  // Everything is on this machine: nothing crossed a network, and that was counted.
  expect(quantity(killed, 'egress')).toBe(0);
  expect(killed.items.find(({ item }) => item === 'egress')).toMatchObject({ quantity: '0' });

  const other = await start(2);
  await untilState(system, other.id, 'completed');
  const straight = metered(await settled(other.id));
  const straightCounters = await countersOf(system.dataDir, other.id);

  // What the store counts no kill loses. What an attempt had published when it was killed is published again, and comes to a duplicate.
  const noop = killed.writeAmplification.rowsNoop ?? Number.NaN;
  expect(killed.writeAmplification.rowsInserted).toBe(straight.writeAmplification.rowsInserted);
  expect(killed.writeAmplification.rowsAttempted).toBe(
    (straight.writeAmplification.rowsAttempted ?? Number.NaN) + noop,
  );
  expect(amount(killed.spend) - amount(straight.spend)).toBeCloseTo(noop / 1000, 6);

  // The rest is told by ticks: what came since the last is lost with a worker. A machine that is busy is late with them, and with answering
  // them: a tick is as long as the longest that a worker died in.
  expect(tickMs, 'ticks every 250 ms, told to the list of workers once a second').toBeLessThan(4_000);
  const tickEvents = (RATE * tickMs) / 1_000;
  const count = (counters: Usage, counter: UsageCounter) => Number(counters[counter] ?? Number.NaN);
  const more = (counter: UsageCounter) => count(killedCounters, counter) - count(straightCounters, counter);
  const entryBytes = (straight.publishedBytes ?? Number.NaN) / (progress.eventsExpected as number);
  const lost = {
    streamOperations: 2 * noop - more('streamOperations'),
    publishedBytes: noop * entryBytes - more('publishedBytes'),
    walBytes: after.walBytes - before.walBytes - (after.metered.walBytes - before.metered.walBytes),
    cpuMs: after.cpuMs + goneCpuMs - before.cpuMs - (after.metered.cpuMs - before.metered.cpuMs),
  };
  const tick = {
    streamOperations: 2 * tickEvents,
    publishedBytes: tickEvents * entryBytes,
    // The log is read once a second, and told with the next tick.
    walBytes:
      (((1_000 + tickMs) / 1_000) * (after.walBytes - before.walBytes)) /
      ((after.atMs - before.atMs) / 1_000),
    // Of one core, by each of the two workers.
    cpuMs: 2 * tickMs,
  };
  console.info(`lost to three kills, of a noop of ${noop}:`, lost, `a tick of ${tickMs} ms is`, tick);
  // Replay and proof read each event once. What is published again was read again, and so was the batch of a tick's length that each lane had under
  // way at the pause and at the reader's death: that was really read, and is counted.
  const readAgain = more('events') - noop;
  console.info(`read again and not published before: ${readAgain} events`);
  expect(readAgain).toBeGreaterThanOrEqual(-tickEvents);
  expect(readAgain).toBeLessThanOrEqual(2 * LANES * tickEvents);
  // Nobody was killed during the proof.
  expect(quantity(killed, 'store_reads')).toBe(quantity(straight, 'store_reads'));
  expect(count(straightCounters, 'events')).toBe(2 * (progress.eventsExpected as number));
  expect(straight.writeAmplification.rowsNoop).toBe(0);
  for (const counter of Object.keys(lost) as (keyof typeof lost)[])
    expect(Math.abs(lost[counter]), counter).toBeLessThanOrEqual(tick[counter]);
});

it('agrees with an independent recount: events, the log, the reads of the proof and the bytes on the stream', {
  timeout: 200_000,
}, async () => {
  const log = await openStoreLog(system.dataDir);
  const oracle = await FlightsOracle.open();
  const window = { from: Date.parse(dayOfLap(3).from), to: Date.parse(dayOfLap(3).to) };
  const buckets = (await oracle.buckets(window)).length;
  const events = Object.values(await oracle.counts(window)).reduce((sum, one) => sum + one, 0);
  oracle.close();
  const witness = await witnessStream(system.dataDir, 'flights-replay');
  const stream = await witness.watch(5);
  const before = await othersCount(log);
  const { id, progress } = await start(3);
  const done = await untilState(system, id, 'completed');
  const cost = metered(await settled(id));
  const byteMs = stream.byteMs(Date.now());
  await witness.close();
  const after = await othersCount(log);
  await log.close();
  const recount = (what: string, meteredSum: number, truth: number, part: number) => {
    console.info(
      `${what}: metered ${meteredSum}, recounted ${truth}, ratio ${(meteredSum / truth).toFixed(4)}`,
    );
    expect(Math.abs(meteredSum / truth - 1), what).toBeLessThan(part);
  };
  recount('log', after.metered.walBytes - before.metered.walBytes, after.walBytes - before.walBytes, 0.01);
  // The proof looks up a row of the store for each event, and each bucket.
  recount('store reads', quantity(cost, 'store_reads'), events + buckets, 1e-9);
  recount('bytes × time on the stream', quantity(cost, 'stream_memory'), byteMs, 0.03);
  expect(progress.eventsExpected).toBe(events);
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
