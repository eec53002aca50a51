import type { QuarantinePage } from '@spillway/shared/api/backfill';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { query, request } from '../../../lib/http.ts';
import { backfillPath } from './get-backfill.ts';
import { backfillKeys } from './keys.ts';

export type QuarantinedRow = Static<typeof QuarantinePage>['items'][number];

/** The first `limit` rows. While more are fetched those that are shown stay. */
export const quarantineQuery = (id: string, limit: number) =>
  queryOptions({
    queryKey: [...backfillKeys.part(id, 'quarantine'), limit],
    queryFn: ({ signal }) =>
      request<Static<typeof QuarantinePage>>(`${backfillPath(id)}/quarantine${query({ limit })}`, { signal }),
    staleTime: 5_000,
    placeholderData: keepPreviousData,
  });
