import type { Unread } from '@spillway/shared/api/worker-protocol';

const CODE_MAX = 64;

/** Why what something is told by could not be read: by the error's code, where it has one. */
export function unreadBecause(error: unknown): Unread {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return { code: code.slice(0, CODE_MAX) };
}
