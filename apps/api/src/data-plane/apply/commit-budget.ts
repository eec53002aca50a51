/**
 * How long one replay commit may take: what a live event that arrives meanwhile has to wait.
 *
 * The first line of live's defence, in the applier itself: it needs no controller. Without a target it is twenty milliseconds, where
 * batches are large enough to be cheap. With one it follows what live really sees: shorter at once when freshness comes near the
 * target, longer slowly while there is room. It begins at a fifth of the target and is never cut below an eighth: a commit that short breaks
 * nothing, and shorter ones cost store and applier twice the work a row, which then breaks something.
 */
export const LONGEST_COMMIT_MS = 20;
const SHORTEST_MS = 3;
const FIRST_PART = 0.2;
const LEAST_PART = 0.125;
/** Parts of the target: above the first it is cut, below the second it may grow. */
const PRESSED_PART = 0.85;
const EASY_PART = 0.65;
const CUT = 0.75;
const GROWTH = 1.08;

/** The budget before anything has been measured, ms. */
export function firstBudgetMs(freshnessTargetMs: number | null): number {
  return freshnessTargetMs === null ? LONGEST_COMMIT_MS : bounded(freshnessTargetMs * FIRST_PART);
}

/** The budget for the next half second, ms; `freshnessMsP99` is null while no live event was applied. */
export function nextBudgetMs(
  budgetMs: number,
  seen: { readonly freshnessMsP99: number | null; readonly freshnessTargetMs: number | null },
): number {
  const { freshnessMsP99: p99, freshnessTargetMs: target } = seen;
  if (target === null) return LONGEST_COMMIT_MS;
  if (p99 === null) return budgetMs;
  if (p99 > target * PRESSED_PART) return bounded(Math.max(target * LEAST_PART, budgetMs * CUT));
  return p99 < target * EASY_PART ? bounded(budgetMs * GROWTH) : budgetMs;
}

function bounded(ms: number): number {
  return Math.min(LONGEST_COMMIT_MS, Math.max(SHORTEST_MS, ms));
}
