import type { Backfill } from '@spillway/shared/api/backfill';
import { activeStates } from '@spillway/shared/backfill/state-machine';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import { backfillKeys } from './keys.ts';

export interface BackfillList {
  readonly items: readonly Backfill[];
  readonly nextCursor: string | null;
}

export interface BackfillFilter {
  /** One state, or several separated by commas. */
  readonly state?: string;
  readonly pipelineId?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

export const backfillsQuery = (filter: BackfillFilter) =>
  queryOptions({
    queryKey: backfillKeys.list(filter),
    queryFn: ({ signal }) => request<BackfillList>(`/v1/backfills${query({ ...filter })}`, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });

/** What the Now screen shows: everything that runs, waits to run, is held, or needs somebody. */
export const currentBackfillsQuery = (pipelineId: string) =>
  backfillsQuery({ pipelineId, state: [...activeStates, 'queued', 'paused', 'failed'].join(','), limit: 50 });
