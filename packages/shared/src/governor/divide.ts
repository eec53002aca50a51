/**
 * Divides a rate among claimants: a higher priority is served first, equals get equal shares, and what one cannot use is lent
 * to the others (max-min fairness by progressive filling).
 *
 * Invariants: the shares never add up to more than the total; nobody gets more than its limit; nothing is left over while
 * someone could still use it.
 */
export interface Claimant {
  readonly id: string;
  readonly priority: number;
  /** What it may use at most, events/s; null: no limit of its own. */
  readonly limit: number | null;
}

/** Events/s for each claimant. */
export function divide(total: number, claimants: readonly Claimant[]): Map<string, number> {
  const shares = new Map<string, number>();
  let left = Math.max(0, total);
  for (const priority of new Set(claimants.map((claimant) => claimant.priority).toSorted((a, b) => b - a))) {
    const equals = claimants.filter((claimant) => claimant.priority === priority);
    for (const [id, share] of fill(left, equals)) {
      shares.set(id, share);
      left = Math.max(0, left - share);
    }
  }
  return shares;
}

/** The smallest limits first: whoever wants less than an equal share gets it whole, the rest is divided among the others. */
function fill(total: number, claimants: readonly Claimant[]): [string, number][] {
  const limitOf = (claimant: Claimant) => claimant.limit ?? Number.POSITIVE_INFINITY;
  const ascending = claimants.toSorted((a, b) => limitOf(a) - limitOf(b));
  let left = total;
  return ascending.map((claimant, index) => {
    const share = Math.min(limitOf(claimant), left / (ascending.length - index));
    left -= share;
    return [claimant.id, share];
  });
}
