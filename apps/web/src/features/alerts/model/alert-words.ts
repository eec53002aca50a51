import type { AlertCode } from '@spillway/shared/api/governor';

/** What each alert is about, in two or three words; its detail says the rest. */
export const alertWords: Readonly<Record<AlertCode, string>> = {
  storm: 'Replay storm',
  live_at_risk: 'Live at risk',
  signal_unknown: 'Signal unknown',
  store_stalled: 'Store stalled',
  stream_full: 'Stream full',
  worker_lost: 'Worker lost',
  source_failed: 'Source failed',
  backfill_failed: 'Backfill failed',
  budget_near: 'Budget nearly spent',
  pause_runs_out: 'Pause runs out',
};
