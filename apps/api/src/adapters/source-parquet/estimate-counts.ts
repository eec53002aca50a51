/**
 * Counts of a file that is too large to be scanned: rows and time range of every row group are in its statistics; whose they are is not, and is
 * sampled. A few row groups are counted exactly; each of the others has the shares of the sampled one nearest to it, spread evenly over its time.
 *
 *     events of a source in a group ≈ rows of the group · events of the source in the sample ÷ rows of the sample
 */
import type { RowGroupCounts } from './count.ts';
import type { RowGroupLayout } from './layout.ts';

type Counted = Pick<RowGroupCounts, 'counts' | 'steps'>;

/** Row groups that are counted: the first, the last, and as many between, evenly. */
const SAMPLED_GROUPS = 6;

export function sampledPositions(groups: number): number[] {
  const wanted = Math.min(groups, SAMPLED_GROUPS);
  const positions = Array.from({ length: wanted }, (_, index) =>
    wanted === 1 ? 0 : Math.round((index * (groups - 1)) / (wanted - 1)),
  );
  return [...new Set(positions)];
}

/** Adds to `counts[source][step]`, the first of which is step number `firstStep`. `sample`: by position among the groups. */
export function addEstimated(
  counts: readonly Uint32Array[],
  at: { readonly firstStep: number; readonly stepMs: number },
  groups: readonly RowGroupLayout[],
  sample: ReadonlyMap<number, Counted>,
): void {
  const shares = new Map(
    [...sample].map(([position, part]) => [position, sharesOf(part, groups[position]?.rows ?? 0)]),
  );
  for (const [position, group] of groups.entries()) {
    if (sample.has(position)) continue;
    const share = shares.get(nearest([...shares.keys()], position)) ?? [];
    for (const [source, own] of counts.entries()) spread(own, at, group, (share[source] ?? 0) * group.rows);
  }
}

function sharesOf({ counts, steps }: Counted, rows: number): number[] {
  const sources = steps === 0 ? 0 : counts.length / steps;
  return Array.from({ length: sources }, (_, source) => {
    const events = counts.subarray(source * steps, (source + 1) * steps).reduce((sum, one) => sum + one, 0);
    return rows > 0 ? events / rows : 0;
  });
}

/** Whole events, rounded so that the steps add up to the whole. */
function spread(
  own: Uint32Array,
  { firstStep, stepMs }: { readonly firstStep: number; readonly stepMs: number },
  { from, to }: Pick<RowGroupLayout, 'from' | 'to'>,
  events: number,
): void {
  const before = (ms: number) =>
    Math.round((events * Math.min(Math.max(ms - from, 0), to - from)) / Math.max(1, to - from));
  for (let step = Math.floor(from / stepMs); step * stepMs < to; step++) {
    const place = step - firstStep;
    own[place] = (own[place] ?? 0) + before((step + 1) * stepMs) - before(step * stepMs);
  }
}

function nearest(positions: readonly number[], to: number): number {
  return positions.reduce(
    (best, one) => (Math.abs(one - to) < Math.abs(best - to) ? one : best),
    positions[0] ?? 0,
  );
}
