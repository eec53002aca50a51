/** Six months in ten-second subwindows: accepted at once, in next to no memory, and empty stretches cost no lease. */
import { setTimeout as delay } from 'node:timers/promises';
import { command, readBackfill, startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import { type Figure, figure, median } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';

const ROUNDS = 5;
const SETTLE_MS = 2_000;

export async function planArm(): Promise<Figure[]> {
  const system = await quietSystem();
  try {
    const api = () =>
      system.processes().find(({ command }) => command.includes('server.ts'))?.pssBytes ?? Number.NaN;
    const accepted: number[] = [];
    const grown: number[] = [];
    let subwindows = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = api();
      const from = performance.now();
      const { id, progress } = await startBackfill(system, {
        window: halfYear,
        sourceIds: ['east'],
        subwindow: 'PT10S',
        limits: { eventsPerSecond: 1 },
      });
      accepted.push(performance.now() - from);
      subwindows = progress.subwindowsTotal;
      await delay(SETTLE_MS);
      grown.push(api() - before);
      await command(system, id, 'cancel');
      await untilState(system, id, 'cancelled');
    }
    // Ten seconds at 2,000 events/s walk through thousands of subwindows, most of them empty.
    const { id } = await startBackfill(system, {
      window: halfYear,
      sourceIds: ['east'],
      subwindow: 'PT10S',
      limits: { eventsPerSecond: 2_000 },
    });
    await delay(10_000);
    const { progress } = await readBackfill(system, id);
    const runs = (await system.call('GET', `/v1/backfills/${id}/subwindows?limit=200`)).body.items.length;
    return [
      figure(
        'six months in ten-second subwindows: accepted in',
        Math.max(...accepted),
        'ms',
        { atMost: 200 },
        { subwindows, accepted },
      ),
      figure(
        'the same: memory added to the api',
        median(grown) / 2 ** 20,
        'MiB',
        { atMost: 10 },
        grown.map((bytes) => bytes / 2 ** 20),
      ),
      figure(
        'the same: subwindows done after 10 s at 2,000 events/s',
        progress.subwindowsDone,
        'subwindows',
        null,
        { rows: runs },
      ),
    ];
  } finally {
    await system.remove();
  }
}
