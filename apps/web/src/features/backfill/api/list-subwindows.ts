import type { Receipt, SubwindowPage } from '@spillway/shared/api/backfill';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';
import { backfillPath } from './get-backfill.ts';
import { backfillKeys } from './keys.ts';

export type FailedSubwindow = Static<typeof SubwindowPage>['items'][number];

export const failedSubwindowsQuery = (id: string) =>
  queryOptions({
    queryKey: backfillKeys.part(id, 'failed-subwindows'),
    queryFn: ({ signal }) =>
      request<Static<typeof SubwindowPage>>(`${backfillPath(id)}/subwindows?state=failed&limit=50`, {
        signal,
      }),
    staleTime: 5_000,
  });

export function retrySubwindow(id: string, runId: string): Promise<Receipt> {
  return request<Receipt>(`${backfillPath(id)}/subwindows/${encodeURIComponent(runId)}/retry`, {
    method: 'POST',
    body: {},
  });
}
