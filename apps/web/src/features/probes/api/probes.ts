import type { CreateProbe, Probe, ProbePage } from '@spillway/shared/api/governor';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';

const path = (pipelineId: string) => `/v1/pipelines/${encodeURIComponent(pipelineId)}/probes`;

export const probesQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: ['probes', pipelineId],
    queryFn: async ({ signal }): Promise<readonly Probe[]> =>
      (await request<Static<typeof ProbePage>>(`${path(pipelineId)}?limit=200`, { signal })).items,
    staleTime: 30_000,
  });

export function createProbe(pipelineId: string, body: CreateProbe, idempotencyKey: string): Promise<Probe> {
  return request<Probe>(path(pipelineId), {
    method: 'POST',
    body,
    headers: { 'idempotency-key': idempotencyKey },
  });
}

export function deleteProbe(pipelineId: string, probeId: string): Promise<void> {
  return request<void>(`${path(pipelineId)}/${encodeURIComponent(probeId)}`, { method: 'DELETE' });
}
