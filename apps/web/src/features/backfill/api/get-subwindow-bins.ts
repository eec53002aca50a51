import type { SubwindowBins } from '@spillway/shared/api/backfill';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { every } from '../../../lib/every.ts';
import { request } from '../../../lib/http.ts';
import { backfillPath } from './get-backfill.ts';
import { backfillKeys } from './keys.ts';

export const subwindowBinsQuery = (id: string, bins: number, live: boolean) =>
  queryOptions({
    queryKey: [...backfillKeys.part(id, 'bins'), bins],
    queryFn: ({ signal }) =>
      request<SubwindowBins>(`${backfillPath(id)}/subwindows/bins?bins=${bins}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: live ? every(2_000) : false,
  });
