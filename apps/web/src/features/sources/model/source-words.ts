import type { Source } from '@spillway/shared/api/pipeline';
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
