/**
 * How much of a quarantine is shown. The api gives its first rows and no second page, so what is asked for instead of one is a longer first
 * page, up to the most that a list of the api has.
 */
import { formatCount } from '../../../lib/format.ts';

/** Rows of the page that is asked for first. */
export const firstRows = 50;
const MOST_ROWS = 200;

export interface ShownQuarantine {
  /** Rows on the screen. */
  readonly shown: number;
  /** Rows asked for. */
  readonly limit: number;
  /** Events set aside, as the backfill counts them. A row read by two attempts is counted twice and listed once. */
  readonly quarantined: number;
}

/** The rows to ask for when more are wanted; null: all there are, or all that the api lists, are shown. */
export function moreRows({ shown, limit, quarantined }: ShownQuarantine): number | null {
  return shown >= limit && quarantined > shown && limit < MOST_ROWS ? MOST_ROWS : null;
}

/** Whether rows that belong on the page may still come: what is counted is listed up to a tick later. */
export function mayGrow({ shown, limit, quarantined }: ShownQuarantine): boolean {
  return shown < Math.min(limit, quarantined);
}

export function shownWords({ shown, quarantined }: ShownQuarantine): string {
  if (shown < quarantined) return `The first ${formatCount(shown)} of ${formatCount(quarantined)} events`;
  return shown === 1 ? '1 event' : `${formatCount(shown)} events`;
}
