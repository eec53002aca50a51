import type { Backfill } from '@spillway/shared/api/backfill';
import { activeStates } from '@spillway/shared/backfill/state-machine';
import { keepPreviousData, type QueryClient, type QueryKey, queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { currentOf } from '../model/current.ts';
import { newerItems } from '../model/newer.ts';
import { backfillKeys } from './keys.ts';

export interface BackfillList {
  readonly items: readonly Backfill[];
  readonly nextCursor: string | null;
  /** On this page or another. */
  readonly total: number;
}

/** What is not finished, oldest first; `leftOut`: how many more there are. */
export interface CurrentBackfills {
  readonly items: readonly Backfill[];
  readonly leftOut: number;
}

export interface BackfillFilter {
  /** One state, or several separated by commas. */
  readonly state?: string;
  readonly pipelineId?: string;
  readonly source?: string;
  readonly createdBy?: string;
  readonly text?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

const read = (filter: BackfillFilter, signal: AbortSignal) =>
  request<BackfillList>(`/v1/backfills${query({ ...filter })}`, { signal });

/** What came while the answer was on its way is not taken back by it. */
function withNewer<List extends { readonly items: readonly Backfill[] }>(
  client: QueryClient,
  queryKey: QueryKey,
  answer: List,
): List {
  return { ...answer, items: newerItems(client.getQueryData<List>(queryKey)?.items, answer.items) };
}

export const backfillsQuery = (filter: BackfillFilter) =>
  queryOptions({
    queryKey: backfillKeys.list(filter),
    queryFn: async ({ client, queryKey, signal }) => withNewer(client, queryKey, await read(filter, signal)),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });

/**
 * What the Now screen shows: everything that runs, waits to run, is held, or needs somebody. A pipeline has at most 64 at work, and they are asked
 * for by themselves: they are the oldest, and the newest fifty of a long queue would hide what loads the pipeline now.
 */
export const currentBackfillsQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: backfillKeys.list({ pipelineId, current: true }),
    queryFn: async ({ client, queryKey, signal }): Promise<CurrentBackfills> =>
      withNewer(
        client,
        queryKey,
        currentOf(
          ...(await Promise.all([
            read({ pipelineId, state: activeStates.join(','), limit: 200 }, signal),
            read({ pipelineId, state: 'queued,paused,failed', limit: 50 }, signal),
          ])),
        ),
      ),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
