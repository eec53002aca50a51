import type { Quote, QuoteRequest } from '@spillway/shared/api/quote';
import { keepPreviousData, queryOptions, skipToken } from '@tanstack/react-query';
import { request } from '../../../lib/http.ts';

const renewBeforeMs = 10_000;

/**
 * A dry run, asked anew before it expires, and when other events are counted than before, or somebody is there to read them, or nobody any more: it says so.
 * What was quoted last stays on the screen while the next one is worked out. Null: nothing to ask.
 */
export const quoteQuery = (
  body: QuoteRequest | null,
  counted: readonly (number | null)[],
  readable: boolean,
) =>
  queryOptions({
    queryKey: ['quote', body, counted, readable],
    queryFn:
      body === null
        ? skipToken
        : ({ signal }) => request<Quote>('/v1/quotes', { method: 'POST', body, signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 60_000,
    refetchInterval: ({ state }) =>
      state.data === undefined
        ? false
        : Math.max(5_000, Date.parse(state.data.expiresAt) - Date.now() - renewBeforeMs),
  });
