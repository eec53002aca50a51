import type { Readiness } from '@spillway/shared/api/readiness';
import { queryOptions } from '@tanstack/react-query';
import { every } from '../../../lib/every.ts';
import { request } from '../../../lib/http.ts';

/** Answered anew every few seconds: what somebody changes elsewhere shows here by itself. */
export const readinessQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: ['readiness', pipelineId],
    queryFn: ({ signal }) =>
      request<Readiness>(`/v1/pipelines/${encodeURIComponent(pipelineId)}/readiness`, { signal }),
    refetchInterval: every(5_000),
  });
