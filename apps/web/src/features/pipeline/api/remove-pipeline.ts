import { request } from '../../../lib/http.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';

/** Refused with 409 while something of it is not finished. */
export function removePipeline(id: string): Promise<void> {
  return request<void>(`/v1/pipelines/${encodeURIComponent(id)}`, {
    method: 'DELETE',
    headers: { 'idempotency-key': newIdempotencyKey() },
  });
}
