/** How many events a backfill will meet, in words: counted, estimated, or unknown. */
import type { Progress } from '@spillway/shared/api/backfill';
import { formatCount, known } from '../../../lib/format.ts';

type Expected = Pick<Progress, 'eventsExpected' | 'eventsEstimated'>;

/** The figure, and what it is of. */
export function expectedWords({ eventsExpected, eventsEstimated }: Expected): [string, string] {
  if (eventsEstimated === null) return [formatCount(eventsExpected), 'events the sources hold in the window'];
  const { low, likely, high } = eventsEstimated;
  return [`about ${formatCount(likely)}`, `events, estimated: ${formatCount(low)} to ${formatCount(high)}`];
}

/** After the number of events that are done. */
export function ofExpected({ eventsExpected, eventsEstimated }: Expected): string {
  if (known(eventsExpected)) return ` of ${formatCount(eventsExpected)} events`;
  if (eventsEstimated === null) return ' events; expected: unknown';
  return ` of about ${formatCount(eventsEstimated.likely)} events, estimated`;
}
