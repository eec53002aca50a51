import type { Alert, AlertCode } from '@spillway/shared/api/governor';
import { formatSpan } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';

/** What each alert is about, in two or three words; its detail says the rest. */
export const alertWords: Readonly<Record<AlertCode, string>> = {
  storm: 'Replay storm',
  live_at_risk: 'Live at risk',
  applier_stopped: 'Applier stopped',
  signal_unknown: 'Signal unknown',
  store_stalled: 'Store stalled',
  stream_full: 'Stream full',
  groups_unseen: 'Groups unseen',
  worker_lost: 'Worker lost',
  source_failed: 'Source failed',
  backfill_failed: 'Backfill failed',
  budget_near: 'Budget nearly spent',
  pause_runs_out: 'Pause runs out',
};

/** `nowMs` is the telemetry's time: alerts are raised by the server's clock, and the verdict counts on it too. Null before the first. */
export function sinceWords(
  { raisedAt, clearedAt }: Pick<Alert, 'raisedAt' | 'clearedAt'>,
  nowMs: number | null,
): string {
  if (clearedAt !== null) return `${formatClock(raisedAt)} – ${formatClock(clearedAt)} UTC`;
  const age = nowMs === null ? '' : `, ${formatSpan(nowMs - Date.parse(raisedAt))}`;
  return `since ${formatClock(raisedAt)} UTC${age}`;
}

/** Shown at once; what more there is must not push the rest of the screen away. */
const SHOWN_MAX = 5;

/** Whichever are shown until somebody asks for the rest: all critical ones, filled up with others, in the order that they have. */
export function shownAtFirst<Each extends Pick<Alert, 'severity'>>(alerts: readonly Each[]): readonly Each[] {
  const critical = alerts.filter(({ severity }) => severity === 'critical');
  const shown = new Set(critical);
  // "Show 1 more" takes as much room as the one.
  if (alerts.length <= Math.max(critical.length, SHOWN_MAX) + 1) return alerts;
  for (const alert of alerts) if (shown.size < SHOWN_MAX) shown.add(alert);
  return alerts.filter((alert) => shown.has(alert));
}
