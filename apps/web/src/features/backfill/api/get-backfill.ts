import type { Backfill } from '@spillway/shared/api/backfill';
import { queryOptions } from '@tanstack/react-query';
import { request } from '../../../lib/http.ts';
import { newer } from '../model/newer.ts';
import { backfillKeys } from './keys.ts';

export const backfillPath = (id: string) => `/v1/backfills/${encodeURIComponent(id)}`;

export const backfillQuery = (id: string) =>
  queryOptions({
    queryKey: backfillKeys.one(id),
    queryFn: async ({ client, signal }) => {
      const answer = await request<Backfill>(backfillPath(id), { signal });
      return newer(client.getQueryData<Backfill>(backfillKeys.one(id)), answer);
    },
    staleTime: 5_000,
  });
