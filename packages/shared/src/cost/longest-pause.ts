/**
 * The applier's longest pause in a run: what its stream's peak says beyond what the model without a pause does.
 *
 *     pause ms = (peak seen − peak modelled) · 1000 / published per second
 *
 * How long it is in one run is chance: most are of the applier and its store, and of about the same length; now and then the machine's host stops
 * everything for several times that, and such a run says nothing of the next. So what a quote reckons with is the median over the runs, with two more
 * that took `ASSUMED_MS`: of twenty replays on a small machine sixteen had 5 to 32 ms, and four 62 to 133 (docs/measurements.md, "Cost").
 *
 * Only a run that really went at the rate it is modelled at tells: one that something held below it, the governor or its own source, has a lower peak,
 * and would be taken for one without a pause.
 */
const ASSUMED_MS = [20, 40];
/** Longer ones are no hiccups: a store stood still, or a drill. They say nothing of the next run. */
const HICCUP_MS = 250;

/** Of the replay's time, what may have gone otherwise than modelled; and its beginning besides: a lease, the file's first rows, the slow start. */
const OFF_PART = 0.1;
const BEGIN_SECONDS = 1.5;

/** Seconds of the replay alone: holds and proof left out. */
export interface ReplayedSeconds {
  /** In which its own rate was the lowest ceiling. */
  readonly byItsRate: number;
  /** In which another was: the governor's, the store's, a budget's. */
  readonly otherwise: number;
  /** What the model says of its rate. */
  readonly modelled: number;
}

/** Neither held below its rate, nor slow by itself, nor unwatched for a part of the time. */
export function wentAtItsRate({ byItsRate, otherwise, modelled }: ReplayedSeconds): boolean {
  const off = BEGIN_SECONDS + OFF_PART * modelled;
  return Number.isFinite(modelled) && otherwise <= off && Math.abs(byItsRate + otherwise - modelled) <= off;
}

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
  const sorted = [...seen, ...ASSUMED_MS].toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2;
}
