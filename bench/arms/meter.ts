/**
 * The meter against others' counts of the same run: events, buckets and sizes from DuckDB over the file, the log from PostgreSQL, CPU time from the
 * kernel, bytes on the stream from looks of the bench's own. There is no live traffic, so that nothing has to be taken off.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { PipelineCost } from '@spillway/shared/api/cost';
import { pricePresets } from '@spillway/shared/cost/presets';
import { FlightsOracle } from '../../apps/api/test/oracle/flights-oracle.ts';
import { accepted } from '../../apps/api/test/system/api-client.ts';
import { cpuMsOf } from '../../apps/api/test/system/cpu.ts';
import { configurePipeline } from '../../apps/api/test/system/pipelines.ts';
import { pidsOf } from '../../apps/api/test/system/roles.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { openStoreLog, type StoreLog } from '../../apps/api/test/system/store-log.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { amountOf, quantityOf, runToEnd } from '../quoted-run.ts';

/**
 * Inside one row group of the file, before the last quarter of it, where the next one is fetched ahead, and not the one that the demo's first
 * backfill has had fetched already.
 */
const window = { from: '2001-02-04T00:00:00Z', to: '2001-02-13T00:00:00Z' };
const RATE = 8_000;
const price = pricePresets['example-cloud'].prices;
const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;
const LOOK_MS = 5;
const recountedItems = [
  'store_writes',
  'store_reads',
  'stream_operations',
  'stream_memory',
  'source_scan',
  'store_wal',
] as const;

export async function meterArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: '0' });
  const oracle = await FlightsOracle.open();
  const log = await openStoreLog(system.dataDir);
  try {
    await configurePipeline(system, { priceBook: pricePresets['example-cloud'] });
    const span = { from: Date.parse(window.from), to: Date.parse(window.to) };
    const events = Object.values(await oracle.counts(span)).reduce((sum, count) => sum + count, 0);
    const buckets = (await oracle.buckets(span)).length;
    const fetched = await oracle.fetchedBytes(span);

    const before = await countedAtRest(system, log);
    const witness = await system.witness('flights-replay');
    const stream = await witness.watch(LOOK_MS);
    const { metered } = await runToEnd(system, { window, limits: { eventsPerSecond: RATE } });
    const { least, most } = stream.byteMs(stream.arrivals()[0]?.afterMs ?? Number.NaN, Date.now());
    const byteMs = (least + most) / 2;
    await witness.close();
    const after = await countedAtRest(system, log);
    const meteredLog = after.metered.walBytes - before.metered.walBytes;
    const writtenLog = after.walBytes - before.walBytes;
    const meteredCpu = after.metered.cpuMs - before.metered.cpuMs;
    const usedCpu = after.cpuMs - before.cpuMs;

    const amount = (item: Parameters<typeof quantityOf>[1]) =>
      amountOf(metered.items.find((one) => one.item === item)?.total ?? { amount: 'NaN' });
    const recounted =
      (events * Number(price.storeWritesPerMillion)) / 1e6 +
      ((events + buckets) * Number(price.storeReadsPerMillion)) / 1e6 +
      (2 * events * Number(price.streamOperationsPerMillion)) / 1e6 +
      (byteMs * Number(price.streamMemoryPerGibHour)) / (GIB * HOUR_MS) +
      (fetched * Number(price.sourceScanPerGib)) / GIB +
      (writtenLog * Number(price.walPerGib)) / GIB;
    const priced = recountedItems.reduce((sum, item) => sum + amount(item), 0);
    return [
      ratio('rows attempted ÷ events of the oracle', quantityOf(metered, 'store_writes'), events),
      ratio(
        'stream operations ÷ twice the events of the oracle',
        quantityOf(metered, 'stream_operations'),
        2 * events,
      ),
      ratio(
        'store reads ÷ events and buckets of the oracle',
        quantityOf(metered, 'store_reads'),
        events + buckets,
      ),
      ratio(
        'bytes × time on the stream ÷ the same of looks every 5 ms',
        quantityOf(metered, 'stream_memory'),
        byteMs,
      ),
      ratio(
        'bytes read of the source ÷ compressed size of the columns (DuckDB)',
        quantityOf(metered, 'source_scan'),
        fetched,
      ),
      ratio('log of all accounts ÷ PostgreSQL’s', meteredLog, writtenLog),
      share('log of the backfill ÷ PostgreSQL’s', quantityOf(metered, 'store_wal'), writtenLog),
      ratio('CPU of all accounts ÷ the kernel’s count of the workers', meteredCpu, usedCpu),
      share('CPU of the backfill ÷ the same', quantityOf(metered, 'compute'), usedCpu),
      ratio('spend on what was recounted ÷ the recount at the same prices', priced, recounted),
    ];
  } finally {
    await log.close();
    oracle.close();
    await system.remove();
  }
}

const OFF_PERCENT = 1;

function ratio(name: string, value: number, truth: number, atMost = OFF_PERCENT): Figure {
  return figure(
    `meter: ${name}`,
    Math.abs(value / truth - 1) * 100,
    '% off',
    { atMost },
    { metered: value, recounted: truth },
  );
}

/** The rest is live's, whose processes also stand ready before and after the run. */
function share(name: string, value: number, whole: number): Figure {
  return figure(`meter: ${name}`, (value / whole) * 100, '%', null, { metered: value, recounted: whole });
}

/** Longer than the log is left unread, and than a tick. */
const REST_MS = 1_500;

/** The meter's sums over all accounts and the others', once neither moves. */
async function countedAtRest(system: StartedSystem, log: StoreLog) {
  return until('meter and log to rest', async () => {
    const walBytes = await log.position();
    const before = await meteredOfAll(system);
    await delay(REST_MS);
    const metered = await meteredOfAll(system);
    const rests = metered.walBytes === before.walBytes && (await log.position()) === walBytes;
    return rests && { walBytes, cpuMs: cpuOf(system), metered };
  });
}

async function meteredOfAll(system: StartedSystem) {
  const { live, backfills }: PipelineCost = accepted(
    'cost',
    200,
    await system.call('GET', '/v1/pipelines/flights/cost'),
  );
  const all = [live, ...backfills.map(({ metered }) => metered)].filter((cost) => cost !== null);
  const sum = (of: (cost: (typeof all)[number]) => number) =>
    all.reduce((total, cost) => total + of(cost), 0);
  return {
    walBytes: sum(({ writeAmplification }) => writeAmplification.walBytes ?? 0),
    cpuMs: sum((cost) => quantityOf(cost, 'compute') || 0),
  };
}

/** Of the workers since they began, ms. */
function cpuOf(system: StartedSystem): number {
  const pids = (['replay worker', 'apply worker', 'feed'] as const).flatMap((role) => pidsOf(system, role));
  return pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
}
