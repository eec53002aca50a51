import type { Pipeline, PipelinePage } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';

export const pipelinesQuery = queryOptions({
  queryKey: ['pipelines'],
  queryFn: async ({ signal }): Promise<readonly Pipeline[]> =>
    (await request<Static<typeof PipelinePage>>('/v1/pipelines?limit=200', { signal })).items,
  staleTime: 30_000,
});
