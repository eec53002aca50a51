import type { Drill } from '@spillway/shared/api/governor';

/** The drill that was under way at a moment, as it stood then; undefined: none was, or it is not known that one was. */
export function drillAt(drills: readonly Drill[], atMs: number): Drill | undefined {
  const before = (at: string | null) => at !== null && Date.parse(at) <= atMs;
  const found = drills.find(
    ({ stalledAt, releasedAt, recoveredAt }) => before(stalledAt) && !before(recoveredAt ?? releasedAt),
  );
  return found && { ...found, state: before(found.releasedAt) ? 'recovering' : 'stalling' };
}
