/** What became of the events, in words: of a store that is not ours nobody here knows, and that is said. */
import type { Progress } from '@spillway/shared/api/backfill';
import { formatCount } from '../../../lib/format.ts';

type Applied = Pick<
  Progress,
  'eventsApplied' | 'eventsDuplicate' | 'eventsDone' | 'publishedEventsPerSecond' | 'appliedEventsPerSecond'
>;

const NOT_OURS = 'known to your consumers alone';

/** The figure, and what it is of. */
export function appliedWords(progress: Applied): [string, string] {
  return progress.eventsApplied === null
    ? ['—', NOT_OURS]
    : [formatCount(progress.eventsApplied), `rows inserted${inAll(progress)}`];
}

export function duplicateWords(progress: Applied): [string, string] {
  return progress.eventsDuplicate === null
    ? ['—', NOT_OURS]
    : [formatCount(progress.eventsDuplicate), `rows that were there already${inAll(progress)}`];
}

/** What is read again counts in each reading, and is done once: the figures come to more than the percent is of. */
function inAll({ eventsApplied, eventsDuplicate, eventsDone }: Applied): string {
  return (eventsApplied ?? 0) + (eventsDuplicate ?? 0) > eventsDone ? ', in all readings' : '';
}

/** Those that are done, as far as that is known here: before "of so many events". */
export function doneWords({ eventsApplied, eventsDone }: Applied): string {
  return eventsApplied === null ? `${formatCount(eventsDone)} published` : formatCount(eventsDone);
}

/** The rate that says how it goes, and of what it is, as the server told of this one alone. */
export function rateOf(progress: Applied): { of: 'applied' | 'published'; eventsPerSecond: number | null } {
  return progress.eventsApplied === null
    ? { of: 'published', eventsPerSecond: progress.publishedEventsPerSecond }
    : { of: 'applied', eventsPerSecond: progress.appliedEventsPerSecond };
}

/** Of what it is allowed, events/s: what is applied comes after what is published, and a limit is used by either. Null: neither is known. */
export function usedRate(
  reached: number | null,
  { publishedEventsPerSecond: published }: Pick<Applied, 'publishedEventsPerSecond'>,
): number | null {
  return reached === null || published === null ? (reached ?? published) : Math.max(reached, published);
}
