import type { Source } from '@spillway/shared/api/pipeline';
import { request } from '../../../lib/http.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';

/** A feed's outage begins, or ends: its end queues a backfill of the gap. */
export function reportFeed(sourceId: string, what: 'disconnected' | 'reconnected'): Promise<Source> {
  return request<Source>(`/v1/sources/${encodeURIComponent(sourceId)}/${what}`, {
    method: 'POST',
    body: {},
    headers: { 'idempotency-key': newIdempotencyKey() },
  });
}
