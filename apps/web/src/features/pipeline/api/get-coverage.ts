import type { Coverage } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { countingMs } from './list-sources.ts';

export interface CoverageRequest {
  readonly pipelineId: string;
  readonly from: string;
  readonly to: string;
  readonly step: string;
  /** Absent: all sources of the pipeline together. */
  readonly source?: string;
}

export const coverageQuery = ({ pipelineId, ...range }: CoverageRequest) =>
  queryOptions({
    queryKey: ['coverage', pipelineId, range],
    queryFn: ({ signal }) =>
      request<Coverage>(`/v1/pipelines/${encodeURIComponent(pipelineId)}/coverage${query(range)}`, {
        signal,
      }),
    staleTime: 10_000,
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ expected }) => expected === null) ? countingMs : false,
  });
