/** Whose changes an edit of limits has met. The audit has each with what it began from, so that they make a chain: no clock is asked. */
import type { Limits } from '@spillway/shared/api/backfill';
import { formatClock } from '../../../lib/instant.ts';
import { describeChange, sameLimits } from './limits.ts';

interface AuditEntry {
  readonly at: string;
  readonly actor: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Overtaken {
  /** `several`: each stands with its change. Undefined: not known. */
  readonly by: { readonly actor: string; readonly at: string } | 'several' | undefined;
  readonly changes: readonly string[];
}

/**
 * What happened to the limits while somebody edited them: from `base`, which they saw, to `current`. `throttles`: the changes of the backfill's
 * limits, the newest first; null: they could not be read.
 */
export function overtaken(throttles: readonly AuditEntry[] | null, base: Limits, current: Limits): Overtaken {
  const between = since(throttles ?? [], base);
  const last = between.at(-1);
  const all = describeChange(base, current);
  if (last === undefined) return { by: undefined, changes: all };
  if (between.every(({ actor }) => actor === last.actor)) return { by: last, changes: all };
  return {
    by: 'several',
    changes: between.map(
      ({ actor, at, before, after }) =>
        `${actor} at ${formatClock(at)} UTC: ${describeChange(before as Limits, after as Limits).join(', ')}`,
    ),
  };
}

/** From the last one that began from these limits on, the oldest first; empty where none did. */
function since(throttles: readonly AuditEntry[], base: Limits): readonly AuditEntry[] {
  const first = throttles.findIndex(({ before }) => before !== null && sameLimits(before as Limits, base));
  return throttles.slice(0, first + 1).toReversed();
}
