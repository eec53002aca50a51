import type { Telemetry } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { isoInstant } from '../../../lib/instant.ts';
import type { LinePoint } from '../model/paths.ts';
import { rateHistoryMs } from '../model/rate-history.ts';

/** As many as a second remembers. */
const MOST_BACKFILLS = 20;
const nameOf = (backfillId: string) => `backfill.${backfillId}.appliedEventsPerSecond`;

/** The applied rates of some backfills over the last two minutes as they were recorded, by backfill; asked once, their events do the rest. */
export const recordedRatesQuery = (
  pipelineId: string,
  backfillIds: readonly string[],
  serverMs: () => number,
) => {
  const asked = backfillIds.slice(0, MOST_BACKFILLS);
  return queryOptions({
    queryKey: ['telemetry', pipelineId, 'rates', asked.join(',')],
    queryFn: async ({ signal }): Promise<ReadonlyMap<string, readonly LinePoint[]>> => {
      const nowMs = serverMs();
      const stretch = query({
        from: isoInstant(nowMs - rateHistoryMs),
        to: isoInstant(nowMs),
        step: 'PT1S',
        names: asked.map(nameOf).join(','),
      });
      const { series } = await request<Telemetry>(
        `/v1/pipelines/${encodeURIComponent(pipelineId)}/telemetry${stretch}`,
        { signal },
      );
      return new Map(
        asked.map((id) => [id, (series[nameOf(id)] ?? []).map(([at, value]) => ({ at, value }))]),
      );
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
};
