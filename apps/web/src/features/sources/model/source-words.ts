import type { Source } from '@spillway/shared/api/pipeline';
import { formatCount, known } from '../../../lib/format.ts';
import { formatInstant } from '../../../lib/instant.ts';

const SECOND_MS = 1_000;

/**
 * From when on its history is whole, as people read and type times: in whole seconds, and the next one, since a window that begins within this one is
 * refused. Null: retention has removed nothing, as far as is known.
 */
export function wholeFromText({ wholeFrom }: { readonly wholeFrom?: Source['wholeFrom'] }): string | null {
  if (wholeFrom === undefined) return null;
  return `${formatInstant(Math.ceil(Date.parse(wholeFrom) / SECOND_MS) * SECOND_MS)} UTC`;
}

/** Beside the range that it holds. */
export function retentionNote(source: Pick<Source, 'wholeFrom'>): string | null {
  const from = wholeFromText(source);
  return from === null ? null : `retention has removed what was before ${from}`;
}

/** How many it holds. */
export function eventsText({
  events,
  failure,
  statistics,
}: Pick<Source, 'events' | 'failure' | 'statistics'>): string {
  if (known(events)) return `${formatCount(events)} events`;
  if (failure !== null) return 'not counted';
  return statistics?.exact === false ? 'estimated only' : 'not counted yet';
}

/** Beside how many events it holds. Null: every row is one, or nothing has been counted yet. */
export function quarantineNote({ statistics }: Pick<Source, 'statistics'>): string | null {
  const rows = statistics === null ? 0 : statistics.rowsQuarantined;
  if (rows === null) return 'rows that would be quarantined: unknown';
  if (rows === 0) return null;
  return `${rows === 1 ? '1 row' : `${formatCount(rows)} rows`} would be quarantined`;
}
