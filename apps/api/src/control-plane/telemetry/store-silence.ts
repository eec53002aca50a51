import type { PipelineObservation } from './observation.ts';

/** Reports come four times a second: one that is older than this is late. */
const LATE_MS = 500;

/**
 * How long the store has owed an answer, ms; 0 when it owes none; null when no applier reports. An applier that has fallen silent
 * applies nothing either: from when its next report was due, its silence is the store's.
 */
/** Of a store that is not ours it is the groups that are looked at: 0 while they can be, null while they cannot. */
export function storeSilentMs({ apply, applyAgeMs, external = null }: PipelineObservation): number | null {
  if (external !== null) return external.report === null || external.report.problem !== null ? null : 0;
  if (apply === null || applyAgeMs === null) return null;
  return apply.store.silentMs + Math.max(0, applyAgeMs - LATE_MS);
}
