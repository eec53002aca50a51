import { STORE_SILENT_MS } from '@spillway/shared/governor/guard';
import type { PipelineObservation } from './observation.ts';

/** Reports come four times a second: one that is older than this is late. */
const LATE_MS = 500;

/**
 * How long the store has owed an answer, ms; 0 when it owes none; null when no applier reports. An applier that has fallen silent
 * applies nothing either: from when its next report was due, its silence counts as the store's ({@link applierSilentMs} tells them apart, for people).
 * Of a store that is not ours it is the groups that are looked at: 0 while they can be, null while they cannot.
 */
export function storeSilentMs({ apply, applyAgeMs, external = null }: PipelineObservation): number | null {
  if (external !== null) return external.report === null || external.report.problem !== null ? null : 0;
  if (apply === null || applyAgeMs === null) return null;
  return apply.store.silentMs + overdueMs(applyAgeMs);
}

/**
 * For how long the applier has not been heard, where that stops replay and it is overdue for longer than the store had owed an answer when it was heard
 * last; else null. What the store had owed by then is no part of it.
 */
export function applierSilentMs({ apply, applyAgeMs, external = null }: PipelineObservation): number | null {
  if (external !== null || apply === null || applyAgeMs === null) return null;
  const overMs = overdueMs(applyAgeMs);
  const isIt = overMs > apply.store.silentMs && overMs + apply.store.silentMs >= STORE_SILENT_MS;
  return isIt ? applyAgeMs : null;
}

function overdueMs(applyAgeMs: number): number {
  return Math.max(0, applyAgeMs - LATE_MS);
}
