import type { Role } from '@spillway/shared/api/session';
import type { Actor } from '../context.ts';

/** Who sent a request, once it is known. */
export interface Principal {
  /** `admin-token`, `worker-token`, a token's id, or `session:` and a digest. Rate limits and idempotency keys are kept by it. */
  readonly key: string;
  readonly name: string;
  readonly role: Role;
  readonly kind: 'token' | 'session';
  /** Sent in `x-spillway-csrf` with every mutation of a session; null for tokens, which no browser adds by itself. */
  readonly csrfToken: string | null;
  /** Epoch ms; null: does not expire. */
  readonly expiresAt: number | null;
}

/** What a route asks for. `worker` is not a rank: a worker token reaches the worker protocol and nothing else. */
export const accessLevels = ['public', 'viewer', 'operator', 'admin', 'worker'] as const;
export type AccessLevel = (typeof accessLevels)[number];

const rank: Readonly<Record<Role, number>> = { worker: 0, viewer: 1, operator: 2, admin: 3 };

export function mayAccess(role: Role, access: AccessLevel): boolean {
  if (access === 'public') return true;
  if (access === 'worker' || role === 'worker') return access === role;
  return rank[role] >= rank[access];
}

export function actorOf(principal: Principal, address: string | null): Actor {
  return {
    name: principal.name,
    role: principal.role,
    address,
    origin: principal.kind === 'session' ? 'operator' : 'automation',
  };
}
