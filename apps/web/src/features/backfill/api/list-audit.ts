import type { AuditPage } from '@spillway/shared/api/audit';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { ProblemError, query, request } from '../../../lib/http.ts';
import { backfillKeys } from './keys.ts';

export type AuditEntries = Static<typeof AuditPage>['items'];

/** Null: the caller may not read the audit. */
export const auditQuery = (id: string) =>
  queryOptions({
    queryKey: backfillKeys.part(id, 'audit'),
    queryFn: async ({ signal }): Promise<AuditEntries | null> => {
      try {
        return (
          await request<Static<typeof AuditPage>>(`/v1/audit${query({ target: id, limit: 50 })}`, { signal })
        ).items;
      } catch (error) {
        if (error instanceof ProblemError && error.status === 403) return null;
        throw error;
      }
    },
    staleTime: 5_000,
  });
