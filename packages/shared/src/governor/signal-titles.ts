import type { MeasuredSignal } from '../api/governor.ts';

/** As people read them. */
export const signalTitles: Readonly<Record<MeasuredSignal, string>> = {
  liveFreshnessMsP99: 'Live freshness, p99',
  liveFreshnessMsP50: 'Live freshness, p50',
  liveLagEntries: 'Live lag',
  liveLagMs: 'Live lag in time',
  replayLagEntries: 'Replay lag',
  replayLagMs: 'Replay lag in time',
  streamLength: 'Length of the live stream',
  applyLatencyMsP99: 'Apply latency, p99',
  storeCommitMsP99: 'Store commit latency, p99',
  storePoolWaitMsP99: 'Wait for a store connection, p99',
  walBytesPerSecond: 'Write-ahead log',
  rowsAttemptedPerSecond: 'Rows attempted',
  rowsInsertedPerSecond: 'Rows inserted',
  rowsNoopPerSecond: 'Rows already there',
  deadRows: 'Dead rows',
  cacheHitRatio: 'Store cache hit ratio',
};
