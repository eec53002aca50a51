import type { Backfill } from '@spillway/shared/api/backfill';

/** What a pause would relieve the pipeline of: what it publishes; while that is unknown, what of it is applied. */
export function publishRate({ progress }: Pick<Backfill, 'progress'>): number {
  return progress.publishedEventsPerSecond ?? progress.appliedEventsPerSecond ?? 0;
}
