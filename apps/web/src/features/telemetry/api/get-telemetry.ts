import type { Telemetry } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { isoInstant } from '../../../lib/instant.ts';

export interface HistoryRequest {
  readonly pipelineId: string;
  readonly rangeMs: number;
  readonly step: 'PT1S' | 'PT10S';
}

/** What was recorded before this tab opened; asked once a range, the event stream does the rest. */
export const historyQuery = ({ pipelineId, rangeMs, step }: HistoryRequest) =>
  queryOptions({
    queryKey: ['telemetry', pipelineId, rangeMs, step],
    queryFn: ({ signal }) => {
      const nowMs = Date.now();
      const range = { from: isoInstant(nowMs - rangeMs), to: isoInstant(nowMs), step };
      return request<Telemetry>(`/v1/pipelines/${encodeURIComponent(pipelineId)}/telemetry${query(range)}`, {
        signal,
      });
    },
    // Once more when the stream has begun: the second in which this page opened is in neither of the two until then.
    refetchInterval: ({ state }) => (state.dataUpdateCount < 2 ? 3_000 : false),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
