import type { Probe } from '@spillway/shared/api/governor';
import { redactText } from '../access/redaction.ts';
import type { probes } from '../database/schema.ts';

export type ProbeRow = typeof probes.$inferSelect;

const removed = '[redacted]';

export function toProbe(row: ProbeRow): Probe {
  return {
    id: row.id,
    pipelineId: row.pipelineId,
    title: row.title,
    kind: row.kind,
    url: shownUrl(row.url),
    query: row.query === null ? null : redactText(row.query),
    pointer: row.pointer,
    target: row.target,
    worseWhen: row.worseWhen,
    failMode: row.failMode,
    intervalMs: row.intervalMs,
    timeoutMs: row.timeoutMs,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}

/**
 * Where a probe looks, without anything that could let someone in: no user, no password, no fragment, and of the query only the names,
 * since a token may hide under any of them.
 */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return removed;
  const names = [...new Set(parsed.searchParams.keys())];
  const query = names.map((name) => `${encodeURIComponent(name)}=${removed}`).join('&');
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query === '' ? '' : `?${query}`}`;
}
