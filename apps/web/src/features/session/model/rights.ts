import type { Session } from '@spillway/shared/api/session';

/** What is offered before a resource is at hand; a resource's `allowedActions` decide the rest, and the server all of it. */
export function mayOperate(session: Pick<Session, 'role'>): boolean {
  return session.role !== 'viewer';
}

export function mayAdminister(session: Pick<Session, 'role'>): boolean {
  return session.role === 'admin';
}
