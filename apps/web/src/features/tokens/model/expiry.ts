import { dayMs } from '../../../lib/duration.ts';
import { formatSpan } from '../../../lib/format.ts';

interface Expiry {
  readonly state: 'valid' | 'ends_soon' | 'expired';
  /** "in 89 d", "expired 3 d ago". */
  readonly words: string;
}

const SOON_MS = 7 * dayMs;

export function expiryOf(expiresAt: string, nowMs: number): Expiry {
  const leftMs = Date.parse(expiresAt) - nowMs;
  if (leftMs <= 0) return { state: 'expired', words: `expired ${formatSpan(-leftMs)} ago` };
  return { state: leftMs < SOON_MS ? 'ends_soon' : 'valid', words: `in ${formatSpan(leftMs)}` };
}
