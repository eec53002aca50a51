/**
 * What an event may be. A source quarantines whatever else it reads, where it has the row's address: what is outside is expected by no count and
 * looked for by no proof. Whoever applies holds against the same what has come to the stream from elsewhere.
 */
import type { TimeRange } from './ports.ts';

/** UTF-16 code units of an id or a key. The store's unique indexes hold them, and an index row of PostgreSQL ends at 2,704 bytes. */
export const NAME_LENGTH_MAX = 400;

/** 1970 to 2200: bounds the number of monthly partitions that absurd event times can make. */
export const EVENT_TIMES: TimeRange = { from: 0, to: 7_258_118_400_000 };

/** Why a text cannot be the id or the key of an event; null: it can. An empty one may be a key, not an id. */
export function nameFault(name: string): string | null {
  if (name.length > NAME_LENGTH_MAX) return `is longer than ${NAME_LENGTH_MAX} characters`;
  if (name.includes('\0')) return 'has a NUL';
  return name.isWellFormed() ? null : 'has half a surrogate pair';
}

export function isEventTime(at: number): boolean {
  return at >= EVENT_TIMES.from && at < EVENT_TIMES.to;
}
