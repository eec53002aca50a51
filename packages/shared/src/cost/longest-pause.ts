/**
 * The applier's longest pause in a run: what its stream's peak says beyond what the model without a pause does.
 *
 *     pause ms = (peak seen − peak modelled) · 1000 / published per second
 *
 * How long it is in one run is chance, and how long they are depends on the machine. So what a quote reckons with is the mean over the runs, with
 * one more that took `ASSUMED_MS`: of nine replays on a small machine it was 0 to 65 ms (docs/measurements.md, "Cost").
 */
const ASSUMED_MS = 40;
/** Longer ones are no hiccups: a store stood still, or a drill. They say nothing of the next run. */
const HICCUP_MS = 250;

/** ms; null: the peak does not tell. */
export function longestPauseOf(peak: {
  /** Entries. */
  readonly seen: number;
  /** With no pause at all. */
  readonly modelled: number;
  readonly eventsPerSecond: number;
}): number | null {
  const ms = ((peak.seen - peak.modelled) * 1000) / peak.eventsPerSecond;
  return ms <= HICCUP_MS ? Math.max(0, ms) : null;
}

/** ms, of runs that told. */
export function likelyPause(seen: readonly number[]): number {
  return seen.reduce((sum, ms) => sum + ms, ASSUMED_MS) / (1 + seen.length);
}
