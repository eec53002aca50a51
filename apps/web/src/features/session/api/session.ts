import { firstAsked } from '@spillway/shared/api/first-asked';
import type { Session } from '@spillway/shared/api/session';
import { queryOptions } from '@tanstack/react-query';
import { rememberCsrfToken, request } from '../../../lib/http.ts';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    const session = await request<Session>(firstAsked.session, { signal });
    rememberCsrfToken(session.csrfToken);
    return session;
  },
  staleTime: 60_000,
  retry: false,
});

/** Exchanges the one-time code for a session cookie. */
export async function signIn(code: string): Promise<void> {
  await request('/v1/session', { method: 'POST', body: { code } });
}

export async function signOut(): Promise<void> {
  await request('/v1/session', { method: 'DELETE' });
}
