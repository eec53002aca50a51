import type { PatchLimits, Receipt } from '@spillway/shared/api/backfill';
import { request } from '../../../lib/http.ts';
import { backfillPath } from './get-backfill.ts';

/** Refused with 412 and the current resource when somebody changed the backfill after `revision` was read. */
export function throttleBackfill(id: string, patch: PatchLimits, revision: number): Promise<Receipt> {
  return request<Receipt>(`${backfillPath(id)}/limits`, {
    method: 'PATCH',
    body: patch,
    headers: { 'if-match': `"${revision}"` },
  });
}
