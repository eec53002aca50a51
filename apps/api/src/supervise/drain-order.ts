/**
 * In which order the processes leave, and by when. Pure.
 *
 * Who moves events first, so that nothing is half done; then the api, which they report to; the databases last, when
 * nobody needs them. Each tier may use the time its predecessors left over, and the sum stays under the 10 s promised.
 */
export type Tier = 'worker' | 'api' | 'database';

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
