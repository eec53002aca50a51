import type { Telemetry } from '@spillway/shared/api/pipeline';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { isoInstant } from '../../../lib/instant.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const recordedSteps = { PT1S: 1, PT10S: 10, PT1M: 60 } as const;

/** The stretch before a moment, cut at whole minutes: a step within the same minute asks nobody. */
export const recordedQuery = (
  pipelineId: string,
  atMs: number,
  rangeMs: number,
  names: readonly string[],
) => {
  const toMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const fromMs = toMs - MINUTE_MS - rangeMs;
  return queryOptions({
    queryKey: ['telemetry', pipelineId, 'recorded', fromMs, toMs, names.join(',')],
    queryFn: ({ signal }) => {
      const range = {
        from: isoInstant(fromMs),
        to: isoInstant(toMs),
        step: stepOf(Date.now() - fromMs, rangeMs),
      };
      return request<Telemetry>(
        `/v1/pipelines/${encodeURIComponent(pipelineId)}/telemetry${query({ ...range, names: names.join(',') })}`,
        { signal },
      );
    },
    placeholderData: keepPreviousData,
    staleTime: ({ state }) => (state.dataUpdatedAt > toMs ? Number.POSITIVE_INFINITY : 2_000),
    gcTime: MINUTE_MS,
  });
};

/** Some minutes early: at the edge the server may already have dropped the finer step. */
function stepOf(ageMs: number, rangeMs: number): keyof typeof recordedSteps {
  if (ageMs > 24 * HOUR_MS - 10 * MINUTE_MS) return 'PT1M';
  return ageMs > HOUR_MS - 2 * MINUTE_MS || rangeMs > 15 * MINUTE_MS ? 'PT10S' : 'PT1S';
}
