import type { Streams } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import { every } from '../../../lib/every.ts';
import { request } from '../../../lib/http.ts';

/** For when the event stream has not told of them: it does so once a second. */
export const streamsQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: ['streams', pipelineId],
    queryFn: ({ signal }) =>
      request<Streams>(`/v1/pipelines/${encodeURIComponent(pipelineId)}/streams`, { signal }),
    refetchInterval: every(5_000),
  });
