/** A token as its form holds it; an empty field is null. */
import type { CreateToken, Role } from '@spillway/shared/api/session';

export interface TokenDraft {
  readonly name: string;
  readonly role: Role;
  readonly expiresInDays: number | null;
}
type TokenProblems = Partial<Record<keyof TokenDraft, string>>;

/** The least right is the one that is offered. */
export const emptyToken: TokenDraft = { name: '', role: 'viewer', expiresInDays: 90 };

export const roleWords: Readonly<Record<Role, string>> = {
  viewer: 'Viewer: sees everything, changes nothing',
  operator: 'Operator: also starts, throttles, pauses and cancels',
  admin: 'Admin: also sets up pipelines, tokens and webhooks',
  worker: 'Worker: joins as a worker, and nothing else',
};

/** What can be known to be wrong without asking the server. */
export function tokenProblems({ name, expiresInDays }: TokenDraft): TokenProblems {
  const days = expiresInDays;
  return {
    ...(name.trim() === '' ? { name: 'Who or what will use it, as the audit will name it' } : {}),
    ...(days === null || !Number.isInteger(days) || days < 1 || days > 365
      ? { expiresInDays: 'Between 1 and 365 days' }
      : {}),
  };
}

export function tokenBody({ name, role, expiresInDays }: TokenDraft): CreateToken {
  return { name: name.trim(), role, ...(expiresInDays === null ? {} : { expiresInDays }) };
}

/** The server's pointers, by the field they stand at. */
export const tokenPointers: Readonly<Record<string, keyof TokenDraft>> = {
  '/name': 'name',
  '/role': 'role',
  '/expiresInDays': 'expiresInDays',
};
