/** What is told, as CloudEvents 1.0. Pure. */
import type { Alert } from '@spillway/shared/api/governor';
import type { EndedBackfill, WebhookAttempt, WebhookMessage } from '@spillway/shared/api/webhook';
import type { backfills } from '../database/schema.ts';

type BackfillRow = typeof backfills.$inferSelect;

export interface News {
  readonly event: WebhookAttempt['event'];
  readonly source: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly data: WebhookMessage['data'];
}

export function newsOfAlert(alert: Alert): News {
  return {
    event: alert.clearedAt === null ? 'alert.raised' : 'alert.cleared',
    source: `/v1/pipelines/${alert.pipelineId}`,
    subject: alert.id,
    time: alert.clearedAt ?? alert.raisedAt,
    data: { alert },
  };
}

/** Null: it has not ended, nor failed. `external`: what was applied is not ours to know. */
export function newsOfBackfill(row: BackfillRow, external: boolean): News | null {
  const { state, endedAt } = row;
  if ((state !== 'completed' && state !== 'cancelled' && state !== 'failed') || endedAt === null) return null;
  const backfill: EndedBackfill = {
    id: row.id,
    pipelineId: row.pipelineId,
    state,
    origin: row.origin,
    window: { from: new Date(row.windowFrom).toISOString(), to: new Date(row.windowTo).toISOString() },
    reason: row.reason,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: endedAt.toISOString(),
    subwindowsDone: row.subwindowsDone,
    subwindowsTotal: row.subwindowsTotal,
    eventsApplied: external ? null : row.eventsApplied,
    eventsDuplicate: external ? null : row.eventsDuplicate,
    eventsQuarantined: row.eventsQuarantined,
    verification: row.verificationState,
    failure: row.failure === null ? null : { code: row.failure.code, detail: row.failure.detail },
  };
  return {
    event: `backfill.${state}`,
    source: `/v1/pipelines/${row.pipelineId}`,
    subject: row.id,
    time: endedAt.toISOString(),
    data: { backfill },
  };
}

export function newsOfTest(webhookId: string, sentBy: string, nowMs: number): News {
  return {
    event: 'webhook.test',
    source: `/v1/webhooks/${webhookId}`,
    subject: webhookId,
    time: new Date(nowMs).toISOString(),
    data: { sentBy },
  };
}

export function bodyOf(id: string, { event, source, subject, time, data }: News): string {
  const message: WebhookMessage = {
    specversion: '1.0',
    id,
    source,
    type: `spillway.${event}`,
    subject,
    time,
    datacontenttype: 'application/json',
    data,
  };
  return JSON.stringify(message);
}
