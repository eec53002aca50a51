import type { LedgerPage } from '@spillway/shared/api/backfill';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { every } from '../../../lib/every.ts';
import { request } from '../../../lib/http.ts';
import { backfillPath } from './get-backfill.ts';
import { backfillKeys } from './keys.ts';

export const ledgerQuery = (id: string, live: boolean) =>
  queryOptions({
    queryKey: backfillKeys.part(id, 'ledger'),
    queryFn: ({ signal }) => request<Static<typeof LedgerPage>>(`${backfillPath(id)}/ledger`, { signal }),
    refetchInterval: live ? every(5_000) : false,
  });
