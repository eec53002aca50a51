import type { Receipt } from '@spillway/shared/api/backfill';
import type { BackfillVerb } from '@spillway/shared/backfill/state-machine';
import { request } from '../../../lib/http.ts';
import { backfillPath } from './get-backfill.ts';

export type Command = Exclude<BackfillVerb, 'throttle'>;

export function commandBackfill(id: string, verb: Command, reason?: string): Promise<Receipt> {
  return request<Receipt>(`${backfillPath(id)}/${verb}`, {
    method: 'POST',
    body: reason === undefined ? {} : { reason },
  });
}
