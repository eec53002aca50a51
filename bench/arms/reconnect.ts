/** Four sources come back at the same moment, each with thousands of events to fill in: do their replays add up? */
import type { Backfill } from '@spillway/shared/api/backfill';
import { untilState } from '../../apps/api/test/system/backfills.ts';
import { configurePipeline, readPipeline, reportFeed } from '../../apps/api/test/system/pipelines.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { measured } from '../quick.ts';

const SHARE = 0.5;
const GAP_EVENTS = measured(100_000, 20_000);
/** During the outage: gaps fill sooner. */
const LIVE_AWAY = 5_000;
const LIVE = 1_000;

export async function reconnectArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: String(LIVE) });
  const witness = await system.witness('flights-replay');
  try {
    const { capacity, sourceIds } = await readPipeline(system);
    const eventsPerSecond = capacity.eventsPerSecond as number;
    // By hand, so that it stays: it is what the peak is divided by.
    await configurePipeline(system, {
      capacityEventsPerSecond: eventsPerSecond,
      replayShare: SHARE,
      reconnectStaggerMs: 0,
      maxSourcesReplaying: 4,
      demo: { liveEventsPerSecond: LIVE_AWAY },
    });
    for (const sourceId of sourceIds) await reportFeed(system, sourceId, 'disconnected');
    const awayFrom = performance.now();
    await until('the gaps to grow', () => performance.now() - awayFrom > (GAP_EVENTS / LIVE_AWAY) * 1_000);
    await configurePipeline(system, { demo: { liveEventsPerSecond: LIVE } });
    const replay = await witness.watch();
    const from = Date.now();
    await Promise.all(sourceIds.map((sourceId) => reportFeed(system, sourceId, 'reconnected')));
    const queued = await until('four backfills', async () => {
      const { items } = (await system.call('GET', '/v1/backfills?limit=50')).body;
      const found = (items as Backfill[]).filter(({ origin }) => origin === 'reconnect');
      return found.length >= sourceIds.length && found;
    });
    const done = await Promise.all(queued.map(({ id }) => untilState(system, id, 'completed', 180_000)));
    const to = Date.now();
    const peak = replay.busiest(1_000, from, to);
    return [
      figure(
        'four sources reconnecting at once: peak replay in any second ÷ share of capacity',
        peak / (SHARE * eventsPerSecond),
        '×',
        { atMost: 1 },
        {
          capacity: eventsPerSecond,
          share: SHARE,
          seconds: (to - from) / 1000,
          backfills: done.map(({ sourceIds: [source], progress, verification }) => ({
            source,
            expected: progress.eventsExpected,
            applied: progress.eventsApplied,
            verification: verification.state,
          })),
        },
      ),
    ];
  } finally {
    await witness.close();
    await system.remove();
  }
}
