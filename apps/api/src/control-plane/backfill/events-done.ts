import type { BackfillRow } from './transition.ts';

export type EventCounts = Pick<
  BackfillRow,
  'eventsPublished' | 'eventsApplied' | 'eventsDuplicate' | 'eventsQuarantined' | 'eventsAgain'
>;

/** In all readings, which is what they cost: applied, there already or quarantined by the store; where that is not ours, published. */
export function eventsHandled(counts: EventCounts, external: boolean): number {
  if (external) return counts.eventsPublished;
  return counts.eventsApplied + counts.eventsDuplicate + counts.eventsQuarantined;
}

/** Of those that are expected: what is read again is done when it is handled again. */
export function eventsDone(counts: EventCounts, external: boolean): number {
  return Math.max(0, eventsHandled(counts, external) - counts.eventsAgain);
}
