import type { Backfill, StartBackfill } from '@spillway/shared/api/backfill';
import { request } from '../../../lib/http.ts';

export function startBackfill(body: StartBackfill, idempotencyKey: string): Promise<Backfill> {
  return request<Backfill>('/v1/backfills', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': idempotencyKey },
  });
}
