/** 50 requests a second on the routes a control room asks, while the replay runs at full speed. */
import autocannon from 'autocannon';
import { readBackfill, startBackfill } from '../../apps/api/test/system/backfills.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';

const REQUESTS_PER_SECOND = 50;
const SECONDS = 30;

export async function apiLatencyArm(): Promise<Figure[]> {
  const system = await quietSystem();
  try {
    const { id } = await startBackfill(system, { window: halfYear, limits: { share: 1 } });
    await until(
      'full speed',
      async () => ((await readBackfill(system, id)).progress.publishedEventsPerSecond ?? 0) > 5_000,
    );
    const paths = [
      '/v1/pipelines/flights',
      '/v1/pipelines/flights/stages',
      '/v1/backfills',
      `/v1/backfills/${id}`,
      '/v1/pipelines/flights/streams',
      '/v1/workers',
    ];
    const result = await autocannon({
      url: system.url,
      connections: 5,
      overallRate: REQUESTS_PER_SECOND,
      duration: SECONDS,
      headers: { authorization: `Bearer ${system.adminToken}` },
      requests: paths.map((path) => ({ method: 'GET' as const, path })),
    });
    const { progress } = await readBackfill(system, id);
    return [
      figure(
        'API p99 at 50 requests/s under full replay',
        result.latency.p99,
        'ms',
        { atMost: 50 },
        {
          p50: result.latency.p50,
          p97_5: result.latency.p97_5,
          max: result.latency.max,
          requests: result.requests.total,
          non2xx: result.non2xx,
          errors: result.errors,
          replayEventsPerSecond: progress.publishedEventsPerSecond,
        },
      ),
    ];
  } finally {
    await system.remove();
  }
}
