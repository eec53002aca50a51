import type { Backfill } from '@spillway/shared/api/backfill';
import type { Moment } from '@spillway/shared/api/past';

/**
 * A backfill as it was at a moment, or why that is not known. What had ended by then is as it is: nothing about it has changed since, and it is
 * no longer recorded. Never what it is now for what it was.
 */
export function backfillAt(present: Backfill, moment: Moment): Backfill | string {
  const recorded = moment.backfills?.find(({ id }) => id === present.id);
  if (recorded !== undefined) return recorded;
  if (Date.parse(present.createdAt) > moment.at) return 'It had not been started yet.';
  if (present.state !== 'failed' && present.endedAt !== null && Date.parse(present.endedAt) <= moment.at)
    return { ...present, allowedActions: [] };
  if (moment.backfillsLeftOut > 0 || moment.backfills === null)
    return 'More backfills were unfinished than are recorded at once, and this was not among those that were.';
  return 'It was not recorded at this moment.';
}
