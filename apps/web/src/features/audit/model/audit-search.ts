import type { AuditQuery } from '@spillway/shared/api/audit';
import { namedPipeline } from '../../pipeline/model/named-pipeline.ts';

/** The Audit screen's filters as they stand in the URL, in the names of the API. */
type AuditFilter = Pick<AuditQuery, 'actor' | 'action' | 'target' | 'from' | 'to' | 'cursor'>;

/** `pipeline` is no filter: it is that of the other screens, which it is kept for. */
export type AuditSearch = AuditFilter & { readonly pipeline?: string };

const names = ['actor', 'action', 'target', 'from', 'to', 'cursor'] as const;

/** What cannot be meant is left out: an address somebody has mistyped shows more, not an error. */
export function parseAuditSearch(search: Record<string, unknown>): AuditSearch {
  const read: AuditFilter = {};
  for (const name of names) {
    const value = search[name];
    // The router reads digits out of an address as a number.
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && text !== '' && sensible[name](text)) read[name] = text;
  }
  return { ...read, ...namedPipeline(search) };
}

const short = (text: string) => text.length <= 100;
const time = (text: string) => /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/.test(text);
const sensible: Readonly<Record<(typeof names)[number], (text: string) => boolean>> = {
  actor: short,
  action: (text) => /^[a-z_]+(\.[a-z_]+)?$/.test(text),
  target: short,
  from: time,
  to: time,
  cursor: (text) => text.length <= 512,
};

/** With a filter changed one begins at the newest again. An empty value lifts the filter. */
export function narrowed(search: AuditSearch, part: Partial<AuditSearch>): AuditSearch {
  return parseAuditSearch({ ...search, cursor: undefined, ...part });
}

export function isNarrowed({ cursor: _, pipeline: __, ...filters }: AuditSearch): boolean {
  return Object.keys(filters).length > 0;
}
