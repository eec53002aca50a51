import type { PutPriceBook } from '@spillway/shared/api/cost';
import type { PatchPipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { request } from '../../../lib/http.ts';

export type PipelinePatch = PatchPipeline & { readonly priceBook?: PutPriceBook };

/** Refused with 412 and the current resource when somebody changed the pipeline after `revision` was read. */
export function patchPipeline(id: string, patch: PipelinePatch, revision: number): Promise<Pipeline> {
  return request<Pipeline>(`/v1/pipelines/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    body: patch,
    headers: { 'if-match': `"${revision}"` },
  });
}
