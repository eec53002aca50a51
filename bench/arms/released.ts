/**
 * What the reader releases at 5,000 events/s, counted on the stream: the busiest second and the busiest tenth of a second. That a pause of
 * an hour changes nothing is shown in virtual time, by token-bucket.test.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill } from '../../apps/api/test/system/backfills.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';

const LIMIT = 5_000;
const WATCHED_MS = measured(20_000, 8_000);

export async function releasedArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: '1000' });
  const witness = await system.witness('flights-replay');
  try {
    const replay = await witness.watch();
    await startBackfill(system, { window: lap(1), limits: { eventsPerSecond: LIMIT } });
    await until('the rate', () => replay.between(Date.now() - 1_000, Date.now()) > LIMIT * 0.8);
    const from = Date.now();
    await delay(WATCHED_MS);
    const to = Date.now();
    const mean = (replay.between(from, to) / (to - from)) * 1000;
    const most = (stretchMs: number) => replay.busiest(stretchMs, from, to) / ((LIMIT * stretchMs) / 1000);
    return [
      figure('released in any second ÷ the limit', most(1_000), '×', { atMost: 1.02 }, { mean }),
      figure('released in any 100 ms ÷ the limit', most(100), '×', { atMost: 1.2 }),
    ];
  } finally {
    await witness.close();
    await system.remove();
  }
}
