import type { SubwindowState } from '../api/backfill.ts';

export interface BinnedLane {
  readonly done: number[];
  readonly active: number[];
  readonly failed: number[];
}

/** For each of `bins` equal parts of the window, the part of its time covered by runs in each state, 0 to 1. Pending is the rest. */
export function binRuns(
  runs: readonly { readonly state: SubwindowState; readonly from: number; readonly to: number }[],
  window: { readonly from: number; readonly to: number },
  bins: number,
): BinnedLane {
  const binMs = (window.to - window.from) / bins;
  const lane: BinnedLane = { done: zeros(bins), active: zeros(bins), failed: zeros(bins) };
  for (const { state, from, to } of runs) {
    const shares =
      state === 'leased' || state === 'published' ? lane.active : state === 'pending' ? null : lane[state];
    if (shares === null) continue;
    const first = Math.max(0, Math.floor((from - window.from) / binMs));
    const last = Math.min(bins - 1, Math.floor((to - window.from) / binMs));
    for (let bin = first; bin <= last; bin++) {
      const binFrom = window.from + bin * binMs;
      const coveredMs = Math.min(to, binFrom + binMs) - Math.max(from, binFrom);
      shares[bin] = Math.min(1, (shares[bin] as number) + Math.max(0, coveredMs) / binMs);
    }
  }
  return lane;
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
