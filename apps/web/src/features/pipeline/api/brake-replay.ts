import type { Receipt } from '@spillway/shared/api/backfill';
import { request } from '../../../lib/http.ts';

/** The emergency brake: every backfill of the pipeline, and every one that is started until it is released. */
export function brakeReplay(pipelineId: string, verb: 'pause-replay' | 'resume-replay'): Promise<Receipt> {
  return request<Receipt>(`/v1/pipelines/${encodeURIComponent(pipelineId)}/${verb}`, {
    method: 'POST',
    body: {},
  });
}
