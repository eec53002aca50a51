import type { AuditPage } from '@spillway/shared/api/audit';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { ProblemError, query, request } from '../../../lib/http.ts';
import { backfillKeys } from './keys.ts';

export type AuditEntries = Static<typeof AuditPage>['items'];

/** Null: the caller may not read the audit. */
async function readAudit(asked: Record<string, string>, signal: AbortSignal): Promise<AuditEntries | null> {
  try {
    return (await request<Static<typeof AuditPage>>(`/v1/audit${query({ ...asked, limit: 50 })}`, { signal }))
      .items;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 403) return null;
    throw error;
  }
}

export const auditQuery = (id: string) =>
  queryOptions({
    queryKey: backfillKeys.part(id, 'audit'),
    queryFn: ({ signal }) => readAudit({ target: id }, signal),
    staleTime: 5_000,
  });

/** The changes of its limits, up to this revision at least. What has been does not change. */
export const throttlesQuery = (id: string, revision: number) =>
  queryOptions({
    queryKey: [...backfillKeys.part(id, 'throttles'), revision],
    queryFn: ({ signal }) => readAudit({ target: id, action: 'backfill.throttle' }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
