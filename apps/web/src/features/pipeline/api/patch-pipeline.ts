import type { PatchPipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { request } from '../../../lib/http.ts';

/** Refused with 412 and the current resource when somebody changed the pipeline after `revision` was read. */
export function patchPipeline(id: string, patch: PatchPipeline, revision: number): Promise<Pipeline> {
  return request<Pipeline>(`/v1/pipelines/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    body: patch,
    headers: { 'if-match': `"${revision}"` },
  });
}
