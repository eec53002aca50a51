import type { Coverage } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { countingMs } from './list-sources.ts';

export interface CoverageRequest {
  readonly pipelineId: string;
  readonly from: string;
  readonly to: string;
  readonly step: string;
  /** None: all of the pipeline. */
  readonly sources: readonly string[];
}

/** What the store held when it was asked last. */
export interface KnownCoverage extends Coverage {
  /** Epoch ms. */
  readonly readAtMs: number;
}

export const coverageQuery = ({ pipelineId, sources, ...range }: CoverageRequest) =>
  queryOptions({
    queryKey: ['coverage', pipelineId, { ...range, sources: sources.join() }] as const,
    queryFn: async ({ signal }): Promise<KnownCoverage> => {
      const path = `/v1/pipelines/${encodeURIComponent(pipelineId)}/coverage`;
      const coverage = await request<Coverage>(`${path}${query({ ...range, source: sources })}`, { signal });
      return { ...coverage, readAtMs: Date.now() };
    },
    staleTime: 10_000,
    refetchInterval: ({ state }) => ((state.data?.sources.uncounted.length ?? 0) > 0 ? countingMs : false),
  });

/**
 * For the map. It grows with live by a day at a time; while the answer is on its way, and for as long as a stalled store lets it wait, the map
 * before it is shown: of the same sources and steps, and with its age.
 */
export const coverageMapQuery = (asked: CoverageRequest) =>
  queryOptions({
    ...coverageQuery(asked),
    placeholderData: (before, earlier) => {
      if (before === undefined || earlier === undefined) return undefined;
      const [, pipelineId, { step, sources }] = earlier.queryKey;
      return pipelineId === asked.pipelineId && step === asked.step && sources === asked.sources.join()
        ? before
        : undefined;
    },
  });
