/** What properties read off a run. */
import type { Pass } from '../../src/simulation/governed-run.ts';

const TURN_PART = 0.1;

/** Changes of direction, movements of less than a tenth, or of next to nothing, left out. */
export function turnsOf(rates: readonly number[], nothing: number): number {
  let turns = 0;
  let direction = 0;
  let from = rates[0] ?? 0;
  for (const rate of rates) {
    const moved = Math.abs(rate - from) > Math.max(nothing, Math.max(from, rate) * TURN_PART);
    if (moved) {
      const now = Math.sign(rate - from);
      if (direction !== 0 && now !== direction) turns += 1;
      direction = now;
    }
    // The extreme reached in the present direction is what a turn is measured from.
    if (moved || Math.sign(rate - from) === direction) from = rate;
  }
  return turns;
}

/** Replayed events per second between two moments, ms. */
export function meanRate(
  passes: readonly Pass[],
  fromMs: number,
  toMs: number,
  of: 'published' | 'applied',
): number {
  const between = passes.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const first = between[0];
  const last = between.at(-1);
  if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
  return ((last[of] - first[of]) * 1000) / (last.atMs - first.atMs);
}
