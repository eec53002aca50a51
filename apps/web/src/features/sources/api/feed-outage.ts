import { request } from '../../../lib/http.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';

/** A feed's outage begins, or ends: its end queues a backfill of the gap. */
export function reportFeed(sourceId: string, what: 'disconnected' | 'reconnected'): Promise<unknown> {
  return request<unknown>(`/v1/sources/${encodeURIComponent(sourceId)}/${what}`, {
    method: 'POST',
    body: {},
    headers: { 'idempotency-key': newIdempotencyKey() },
  });
}
