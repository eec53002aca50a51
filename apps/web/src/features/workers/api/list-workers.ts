import type { WorkerPage, WorkerResource } from '@spillway/shared/api/session';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';

/** Those at work, and those lost lately. One that is lost tells nobody: whoever has to know looks again. */
export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: async ({ signal }): Promise<readonly WorkerResource[]> =>
    (await request<Static<typeof WorkerPage>>('/v1/workers?limit=200', { signal })).items,
  staleTime: 5_000,
  refetchInterval: 5_000,
});
