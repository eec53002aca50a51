/** Throttled to 2,000 events/s: every full second after the first, counted on the stream. */
import { type Figure, figure } from '../figures.ts';
import { halfYear, pause, quietSystem, start, until } from '../flights.ts';
import { tapStream } from '../stream-tap.ts';
import { patch } from './commands.ts';

const LIMIT = 2_000;
const SECONDS = 20;

export async function throttleArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const tap = await tapStream(system.dataDir, 'flights-replay');
  try {
    const { id } = await start(system, { window: halfYear, limits: { share: 1 } });
    await until('full speed', async () => tap.between(Date.now() - 500, Date.now()) > LIMIT);
    await patch(system, id, { eventsPerSecond: LIMIT });
    const fromMs = Date.now() + 1_000;
    await pause((SECONDS + 2) * 1_000);
    const seconds = Array.from({ length: SECONDS }, (_, second) =>
      tap.between(fromMs + second * 1_000, fromMs + (second + 1) * 1_000),
    );
    const worst = Math.max(...seconds.map((events) => Math.abs(events - LIMIT) / LIMIT));
    return [
      figure('throttled to 2,000 events/s: worst second', worst * 100, '% off', { atMost: 5 }, seconds),
    ];
  } finally {
    await tap.close();
    await system.remove();
  }
}
