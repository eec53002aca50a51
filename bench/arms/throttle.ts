/** Throttled to 2,000 events/s: every full second after the first, counted on the stream. */
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill, throttle } from '../../apps/api/test/system/backfills.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';

const LIMIT = 2_000;
const SECONDS = 20;

export async function throttleArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const witness = await system.witness('flights-replay');
  try {
    const replay = await witness.watch();
    const { id } = await startBackfill(system, { window: halfYear, limits: { share: 1 } });
    await until('full speed', () => replay.between(Date.now() - 500, Date.now()) > LIMIT);
    await throttle(system, id, { eventsPerSecond: LIMIT });
    const fromMs = Date.now() + 1_000;
    await delay((SECONDS + 2) * 1_000);
    const seconds = Array.from({ length: SECONDS }, (_, second) =>
      replay.between(fromMs + second * 1_000, fromMs + (second + 1) * 1_000),
    );
    const worst = Math.max(...seconds.map((events) => Math.abs(events - LIMIT) / LIMIT));
    return [
      figure('throttled to 2,000 events/s: worst second', worst * 100, '% off', { atMost: 5 }, seconds),
    ];
  } finally {
    await witness.close();
    await system.remove();
  }
}
