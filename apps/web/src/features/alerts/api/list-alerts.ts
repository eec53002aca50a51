import type { Alert, AlertPage } from '@spillway/shared/api/governor';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { query, request } from '../../../lib/http.ts';

export const alertKeys = {
  all: ['alerts'] as const,
  raised: (pipelineId: string) => ['alerts', 'raised', pipelineId] as const,
  lately: (pipelineId: string) => ['alerts', 'lately', pipelineId] as const,
};

const read = async (parameters: Record<string, string | number>, signal: AbortSignal) =>
  (await request<Static<typeof AlertPage>>(`/v1/alerts${query(parameters)}`, { signal })).items;

/** What is wrong now. The event stream keeps it current. */
export const raisedAlertsQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: alertKeys.raised(pipelineId),
    queryFn: ({ signal }): Promise<readonly Alert[]> =>
      read({ pipelineId, state: 'raised', limit: 100 }, signal),
    staleTime: 30_000,
  });

/** What is wrong and what was, the newest first. */
export const latelyAlertsQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: alertKeys.lately(pipelineId),
    queryFn: ({ signal }): Promise<readonly Alert[]> => read({ pipelineId, limit: 10 }, signal),
    staleTime: 30_000,
  });
