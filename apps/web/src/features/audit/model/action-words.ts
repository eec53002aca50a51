import type { AuditAction } from '@spillway/shared/audit/actions';

/** What somebody did, so that it reads between who did it and to what. */
export const verbs: Readonly<Record<AuditAction, string>> = {
  'backfill.start': 'started',
  'backfill.throttle': 'throttled',
  'backfill.pause': 'paused',
  'backfill.resume': 'resumed',
  'backfill.cancel': 'cancelled',
  'backfill.retry': 'retried',
  'backfill.extend': 'extended',
  'backfill.hold_budget': 'held for its budget',
  'subwindow.retry': 'retried subwindows',
  'pipeline.create': 'added the pipeline',
  'pipeline.configure': 'changed the pipeline’s settings',
  'pipeline.remove': 'removed the pipeline',
  'pipeline.pause_replay': 'paused all replay',
  'pipeline.resume_replay': 'resumed replay',
  'pipeline.drill': 'started a fire drill',
  'pipeline.drill_release': 'ended a fire drill early',
  'probe.create': 'added a probe',
  'probe.delete': 'deleted a probe',
  'source.change': 'changed the source',
  'source.create': 'added the source',
  'source.remove': 'removed the source',
  'source.disconnect': 'disconnected a source',
  'source.reconnect': 'reconnected a source',
  'source.gap_empty': 'found a gap empty',
  'token.create': 'made a token',
  'token.revoke': 'revoked a token',
  'webhook.create': 'made a webhook',
  'webhook.update': 'changed a webhook',
  'webhook.delete': 'removed a webhook',
  'webhook.test': 'tested a webhook',
  'session.create': 'signed in',
  'session.revoke': 'signed out',
  'sign_in_code.create': 'made a sign-in code',
};

/** An action this page does not know is shown by its name. */
export function verbOf(action: string): string {
  return (verbs as Readonly<Record<string, string>>)[action] ?? action;
}
