import type { PipelineCost } from '@spillway/shared/api/cost';
import { queryOptions } from '@tanstack/react-query';
import { every } from '../../../lib/every.ts';
import { request } from '../../../lib/http.ts';

export const pipelineCostQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: ['pipeline-cost', pipelineId],
    queryFn: ({ signal }) =>
      request<PipelineCost>(`/v1/pipelines/${encodeURIComponent(pipelineId)}/cost`, { signal }),
    refetchInterval: every(2_000),
  });
