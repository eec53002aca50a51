/** Now, open for half an hour beside a replay: does its heap grow, and does it miss a second? */
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill } from '../../apps/api/test/system/backfills.ts';
import { NowPage } from '../../playwright/pages/now-page.ts';
import { heapMiB, openControlRoom } from '../control-room.ts';
import { type Figure, figure } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';
import { measured } from '../quick.ts';

const MINUTES = measured(30, 4);
/** Caches and the ring buffer fill up. */
const WARMING_MINUTES = measured(6, 2);

export async function soakArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const room = await openControlRoom(system);
  try {
    await startBackfill(system, { window: halfYear, limits: { eventsPerSecond: 1_000 } });
    const { page, devtools } = room;
    const arrivals: number[] = [];
    await devtools.send('Network.enable');
    devtools.on('Network.eventSourceMessageReceived', ({ eventName, timestamp }) => {
      if (eventName === 'telemetry') arrivals.push(timestamp);
    });
    const now = new NowPage(page);
    await now.open();
    await now.showChart();
    const heaps: number[] = [];
    for (let minute = 0; minute < MINUTES; minute++) {
      await delay(60_000);
      heaps.push(await heapMiB(devtools));
    }
    const [first = Number.NaN] = arrivals;
    const seconds = (arrivals.at(-1) ?? Number.NaN) - first;
    const warm = heaps.slice(WARMING_MINUTES);
    const mean = warm.reduce((sum, heap) => sum + heap, 0) / warm.length;
    return [
      figure(
        `Now open for ${MINUTES} min: largest heap ÷ mean, after garbage collection`,
        Math.max(...warm) / mean,
        '×',
        { atMost: 1.1 },
        { heapsMiB: heaps.map((heap) => Math.round(heap * 100) / 100) },
      ),
      figure(
        'the same: telemetry events ÷ seconds',
        (arrivals.length - 1) / seconds,
        '×',
        { atLeast: 0.999 },
        {
          events: arrivals.length,
          seconds,
        },
      ),
    ];
  } finally {
    await room.close();
    await system.remove();
  }
}
