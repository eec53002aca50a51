import type { CreatedToken, CreateToken, Token, TokenPage } from '@spillway/shared/api/session';
import { queryOptions } from '@tanstack/react-query';
import { request } from '../../../lib/http.ts';

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: async ({ signal }): Promise<readonly Token[]> =>
    (await request<TokenPage>('/v1/tokens?limit=200', { signal })).items,
  staleTime: 10_000,
});

export function createToken(body: CreateToken, idempotencyKey: string): Promise<CreatedToken> {
  return request<CreatedToken>('/v1/tokens', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': idempotencyKey },
  });
}

export function revokeToken(id: string): Promise<void> {
  return request<void>(`/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
