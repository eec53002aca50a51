import type { GovernorView, Signal } from '@spillway/shared/api/governor';
import { known } from '../../../lib/format.ts';
import { freshnessLimitMs, liveSignal, watchMs } from './verdict.ts';

export type TileTone = 'calm' | 'watch' | 'risk';

/**
 * Live freshness and the oldest event that waits, by the same measure as the sentence above them: the target where there is one,
 * the limit where there is none. `atRisk`: the sentence is red, so a breach is no mere strain.
 */
export function freshnessTone(
  governor: GovernorView | null,
  freshnessMs: number | null,
  atRisk: boolean,
): TileTone {
  return byTarget(liveSignal(governor, 'liveFreshnessMsP99'), atRisk) ?? byLimit(freshnessMs);
}

export function oldestTone(
  governor: GovernorView | null,
  oldestMs: number | null,
  atRisk: boolean,
): TileTone {
  const byLag = byTarget(liveSignal(governor, 'liveLagMs'), atRisk);
  if (byLag !== null) return byLag;
  const target = liveSignal(governor, 'liveFreshnessMsP99')?.target ?? null;
  if (target === null) return byLimit(oldestMs);
  return known(oldestMs) && oldestMs > target ? breached(atRisk) : 'calm';
}

/** Null: it has no target. */
function byTarget(signal: Signal | undefined, atRisk: boolean): TileTone | null {
  if (signal === undefined || signal.verdict === 'ungoverned') return null;
  if (signal.verdict === 'breached') return breached(atRisk);
  return signal.verdict === 'unknown' && signal.failMode === 'bad' ? 'watch' : 'calm';
}

function breached(atRisk: boolean): TileTone {
  return atRisk ? 'risk' : 'watch';
}

function byLimit(ms: number | null): TileTone {
  if (!known(ms) || ms < watchMs) return 'calm';
  return ms < freshnessLimitMs ? 'watch' : 'risk';
}
