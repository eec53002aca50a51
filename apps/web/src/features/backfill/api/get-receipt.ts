import type { Receipt } from '@spillway/shared/api/backfill';
import { queryOptions } from '@tanstack/react-query';
import { request } from '../../../lib/http.ts';

/** Asked again until the command has taken effect, for at most half a minute. */
export const receiptQuery = (receipt: Receipt) =>
  queryOptions({
    queryKey: ['receipt', receipt.id],
    queryFn: ({ signal }) => request<Receipt>(`/v1/commands/${encodeURIComponent(receipt.id)}`, { signal }),
    initialData: receipt,
    initialDataUpdatedAt: 0,
    refetchInterval: ({ state }) =>
      state.data?.effectiveAt != null || state.dataUpdateCount > 100 ? false : 300,
  });
