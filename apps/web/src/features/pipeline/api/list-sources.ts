import type { Source, SourcePage } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';

/** While something has not been counted yet: how often to look again. */
export const countingMs = 5_000;

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  queryFn: async ({ signal }): Promise<readonly Source[]> =>
    (await request<Static<typeof SourcePage>>('/v1/sources?limit=200', { signal })).items,
  staleTime: 30_000,
  refetchInterval: ({ state }) =>
    state.data?.some(({ events, failure }) => events === null && failure === null) ? countingMs : false,
});
