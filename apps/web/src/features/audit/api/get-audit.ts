import type { AuditPage, AuditVerdict } from '@spillway/shared/api/audit';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { query, request } from '../../../lib/http.ts';
import type { AuditSearch } from '../model/audit-search.ts';

const pageSize = 50;

/** A page, the newest first. While another is fetched the last one stays. */
export const auditPageQuery = ({ pipeline: _, ...filter }: AuditSearch) =>
  queryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ signal }) =>
      request<AuditPage>(`/v1/audit${query({ limit: pageSize, ...filter })}`, { signal }),
    staleTime: 5_000,
    placeholderData: keepPreviousData,
  });

export function verifyAudit(): Promise<AuditVerdict> {
  return request<AuditVerdict>('/v1/audit/verify');
}
