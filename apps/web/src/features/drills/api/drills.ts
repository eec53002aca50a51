import type { Drill, DrillPage } from '@spillway/shared/api/governor';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';

const path = (pipelineId: string) => `/v1/pipelines/${encodeURIComponent(pipelineId)}/drills`;

export const underWay = ({ state }: Pick<Drill, 'state'>) => state === 'stalling' || state === 'recovering';

/** The newest first; read twice a second while one is under way. */
export const drillsQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: ['drills', pipelineId],
    queryFn: async ({ signal }): Promise<readonly Drill[]> =>
      (await request<Static<typeof DrillPage>>(`${path(pipelineId)}?limit=10`, { signal })).items,
    refetchInterval: ({ state }) => (state.data?.some(underWay) ? 500 : false),
  });

export function startDrill(pipelineId: string, forMs: number): Promise<unknown> {
  return request<unknown>(path(pipelineId), {
    method: 'POST',
    body: { forMs },
    headers: { 'idempotency-key': newIdempotencyKey() },
  });
}

export function releaseDrill({ pipelineId, id }: Pick<Drill, 'pipelineId' | 'id'>): Promise<unknown> {
  return request<unknown>(`${path(pipelineId)}/${encodeURIComponent(id)}/release`, {
    method: 'POST',
    body: {},
    headers: { 'idempotency-key': newIdempotencyKey() },
  });
}
