import type { Drill } from '@spillway/shared/api/governor';

/** The drill that was under way at a moment, as it stood then; undefined: none was, or it is not known that one was. */
export function drillAt(drills: readonly Drill[], atMs: number): Drill | undefined {
  const before = (at: string | null) => at !== null && Date.parse(at) <= atMs;
  const found = drills.find(
    ({ stalledAt, releasedAt, recoveredAt }) => before(stalledAt) && !before(recoveredAt ?? releasedAt),
  );
  if (found === undefined) return undefined;
  // A wish to have it over early is a moment older than the release: before that, nobody is known to have had it.
  return before(found.releasedAt)
    ? { ...found, state: 'recovering' }
    : { ...found, state: 'stalling', releasedBy: null };
}
