import type { Telemetry } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { isoInstant } from '../../../lib/instant.ts';
import type { LinePoint } from '../model/paths.ts';
import { rateHistoryMs } from '../model/rate-history.ts';
import { rateName } from '../model/recorded-rates.ts';

/** The rates of a batch of backfills over the last two minutes as they were recorded, by backfill; asked once, the seconds that follow do the rest. */
export const recordedRatesQuery = (
  pipelineId: string,
  backfillIds: readonly string[],
  serverMs: () => number,
) =>
  queryOptions({
    queryKey: ['telemetry', pipelineId, 'rates', backfillIds.join(',')],
    queryFn: async ({ signal }): Promise<ReadonlyMap<string, readonly LinePoint[]>> => {
      const nowMs = serverMs();
      const stretch = query({
        from: isoInstant(nowMs - rateHistoryMs),
        to: isoInstant(nowMs),
        step: 'PT1S',
        names: backfillIds.map(rateName).join(','),
      });
      const { series } = await request<Telemetry>(
        `/v1/pipelines/${encodeURIComponent(pipelineId)}/telemetry${stretch}`,
        { signal },
      );
      return new Map(
        backfillIds.map((id) => [id, (series[rateName(id)] ?? []).map(([at, value]) => ({ at, value }))]),
      );
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
