import type { Probe } from '@spillway/shared/api/governor';
import { redactText } from '../access/redaction.ts';
import type { probes } from '../database/schema.ts';
import { shownUrl } from '../outbound/shown-url.ts';

export type ProbeRow = typeof probes.$inferSelect;

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
