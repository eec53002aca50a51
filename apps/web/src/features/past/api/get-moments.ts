import type { Moments, Timeline } from '@spillway/shared/api/past';
import { queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { isoInstant } from '../../../lib/instant.ts';
import type { Chunk } from '../model/chunks.ts';
import type { SpanName } from '../model/time-bar.ts';

const path = (pipelineId: string) => `/v1/pipelines/${encodeURIComponent(pipelineId)}`;

/** What has been does not change. A chunk whose end had not come yet is read again until it has. */
export const momentsQuery = (pipelineId: string, { fromMs, toMs }: Chunk) =>
  queryOptions({
    queryKey: ['moments', pipelineId, fromMs, toMs],
    queryFn: ({ signal }) =>
      request<Moments>(
        `${path(pipelineId)}/moments${query({ from: isoInstant(fromMs), to: isoInstant(toMs) })}`,
        { signal },
      ),
    staleTime: ({ state }) => (state.dataUpdatedAt > toMs + 2_000 ? Number.POSITIVE_INFINITY : 1_000),
    refetchInterval: ({ state }) =>
      state.data !== undefined && state.dataUpdatedAt <= toMs + 2_000 ? 2_000 : false,
    gcTime: 60_000,
  });

/** `past`: somebody looks back, and the bar under their hand stands still. */
export const timelineQuery = (pipelineId: string, span: SpanName, past: boolean) =>
  queryOptions({
    queryKey: ['timeline', pipelineId, span],
    queryFn: ({ signal }) => request<Timeline>(`${path(pipelineId)}/timeline${query({ span })}`, { signal }),
    staleTime: past ? Number.POSITIVE_INFINITY : 20_000,
    refetchInterval: past ? false : 30_000,
  });
