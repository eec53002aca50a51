/**
 * The self-reinforcing storm: replay slows live, live falls behind, and what falls behind will be replayed again.
 *
 * It is named when the oldest waiting live event has been getting older for three seconds while replay runs, and is older than
 * live may be. It is over when live has caught up and stayed so for two seconds.
 */
export interface StormMemory {
  readonly storming: boolean;
  /** Since when live lag has only grown, and from what, while replay ran. */
  readonly growing: { readonly sinceMs: number; readonly peakLagMs: number } | null;
  /** While storming: since when live is caught up. */
  readonly calmSinceMs: number | null;
}

export interface StormInputs {
  readonly nowMs: number;
  /** Age of the oldest live entry not yet applied; null when unknown, which proves nothing either way. */
  readonly liveLagMs: number | null;
  /** What replay published or had applied over the last second. */
  readonly replayEventsPerSecond: number | null;
  /** What live freshness may be, ms; null without a target. */
  readonly freshnessTargetMs: number | null;
}

const GROWING_FOR_MS = 3_000;
const CALM_FOR_MS = 2_000;
/** Without a target, and never below it: a lag shorter than this is ordinary. */
const ORDINARY_LAG_MS = 500;
/** A lag that has fallen by a tenth from its peak is not growing. */
const FALLEN_PART = 0.9;

export const calm: StormMemory = { storming: false, growing: null, calmSinceMs: null };

export function watchStorm(inputs: StormInputs, before: StormMemory): StormMemory {
  const { nowMs, liveLagMs, replayEventsPerSecond, freshnessTargetMs } = inputs;
  if (liveLagMs === null) return before;
  const tolerable = Math.max(ORDINARY_LAG_MS, freshnessTargetMs ?? 0);
  if (before.storming) {
    if (liveLagMs > tolerable) return { ...before, calmSinceMs: null };
    const calmSinceMs = before.calmSinceMs === null ? nowMs : Math.min(before.calmSinceMs, nowMs);
    return nowMs - calmSinceMs >= CALM_FOR_MS ? calm : { ...before, calmSinceMs };
  }
  const replayRuns = (replayEventsPerSecond ?? 0) > 0;
  if (!replayRuns || liveLagMs <= tolerable) return calm;
  const { growing } = before;
  if (growing === null || liveLagMs < growing.peakLagMs * FALLEN_PART || nowMs < growing.sinceMs)
    return { ...calm, growing: { sinceMs: nowMs, peakLagMs: liveLagMs } };
  const peakLagMs = Math.max(growing.peakLagMs, liveLagMs);
  const grew = liveLagMs > growing.peakLagMs;
  if (grew && nowMs - growing.sinceMs >= GROWING_FOR_MS)
    return { storming: true, growing: null, calmSinceMs: null };
  return { ...calm, growing: { sinceMs: growing.sinceMs, peakLagMs } };
}
