/**
 * How seconds become minutes. A roll-up must not make a bad second look good: latencies and lengths keep the worst value of
 * the step, rates and ratios their mean. Unknown seconds are left out; a step of unknown seconds is unknown.
 */
import type { MetricName } from '../api/pipeline.ts';

export type MetricValues = Readonly<Record<string, number | null>>;

/** Of a stage or a stream (`stage.store.busyRatio`) the last part says what it is. */
const worstParts: ReadonlySet<string> = new Set([
  'queueLength',
  'queueLimit',
  'latencyMsP50',
  'latencyMsP99',
  'length',
  'highWaterMark',
  'lengthBytes',
  'consumerLag',
  'consumerLagMs',
  'oldestPendingMs',
]);
/** The less of it, the worse. */
const leastParts: ReadonlySet<string> = new Set(['safePausedForMs']);

const worst: ReadonlySet<string> = new Set<MetricName>([
  'liveFreshnessMsP50',
  'liveFreshnessMsP99',
  'storeCommitMsP50',
  'storeCommitMsP99',
  'streamLength',
  'replayStreamLength',
  'liveLagEntries',
  'liveLagMs',
  'replayLagEntries',
  'replayLagMs',
  'applyLatencyMsP99',
  'storePoolWaitMsP99',
  'deadRows',
]);

export function rollUp(seconds: readonly MetricValues[]): Record<string, number | null> {
  const names = new Set(seconds.flatMap((values) => Object.keys(values)));
  const rolled: Record<string, number | null> = {};
  for (const name of names) {
    const known = seconds
      .map((values) => values[name])
      .filter((value) => value !== null && value !== undefined);
    const part = name.slice(name.lastIndexOf('.') + 1);
    if (known.length === 0) rolled[name] = null;
    else if (leastParts.has(part)) rolled[name] = Math.min(...known);
    else if (worst.has(name) || worstParts.has(part)) rolled[name] = Math.max(...known);
    else rolled[name] = known.reduce((sum, value) => sum + value, 0) / known.length;
  }
  return rolled;
}
