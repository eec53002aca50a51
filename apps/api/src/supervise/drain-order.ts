/**
 * In which order the processes leave, and by when. Pure.
 *
 * Who moves events first, so that nothing is half done; then the api, which they report to; the databases last, when
 * nobody needs them. Each tier may use the time its predecessors left over, and the sum stays under the 10 s promised.
 *
 * Before all that the api is told to prepare: while it holds the store for a fire drill, no worker can finish what it has begun. It
 * lets go within a second (store-postgres/stall.ts) of the five that the workers have, so nobody waits for its answer.
 */
export type Tier = 'worker' | 'api' | 'database';

/** Told first that all are to leave. */
export const PREPARES_FIRST: Tier = 'api';

const LEAVES_BY_MS: ReadonlyArray<readonly [Tier, number]> = [
  ['worker', 5_000],
  ['api', 7_000],
  ['database', 9_000],
];

export interface DrainStep {
  tier: Tier;
  /** Since the drain began; who is still there then is killed. */
  deadlineMs: number;
}

export function drainSteps(): DrainStep[] {
  return LEAVES_BY_MS.map(([tier, deadlineMs]) => ({ tier, deadlineMs }));
}
