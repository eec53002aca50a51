/**
 * Divides a rate among claimants: a higher priority is served first, equals get equal shares, and what one cannot use is lent
 * to the others (max-min fairness by progressive filling). What someone can use is its limit, and its demand while others want more: only
 * what is left when all demands are met goes beyond them.
 *
 * Invariants: the shares never add up to more than the total; nobody gets more than its limit; nothing is left over while
 * someone could still use it.
 */
export interface Claimant {
  readonly id: string;
  readonly priority: number;
  /** What it may use at most, events/s; null: no limit of its own. */
  readonly limit: number | null;
  /** What it can use as far as anyone has seen, events/s; null: nobody has seen less than its limit. */
  readonly demand: number | null;
}

/** Events/s for each claimant. */
export function divide(total: number, claimants: readonly Claimant[]): Map<string, number> {
  const wanted = claimants.map((claimant) => ({
    ...claimant,
    limit: Math.min(limitOf(claimant), claimant.demand ?? Number.POSITIVE_INFINITY),
  }));
  const first = byPriority(total, wanted);
  const given = (id: string) => first.get(id) ?? 0;
  const left = total - [...first.values()].reduce((sum, share) => sum + share, 0);
  const more = byPriority(
    left,
    claimants.map((claimant) => ({ ...claimant, limit: limitOf(claimant) - given(claimant.id) })),
  );
  return new Map(claimants.map(({ id }) => [id, given(id) + (more.get(id) ?? 0)]));
}

function byPriority(total: number, claimants: readonly Claimant[]): Map<string, number> {
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
  const ascending = claimants.toSorted((a, b) => limitOf(a) - limitOf(b));
  let left = total;
  return ascending.map((claimant, index) => {
    const share = Math.min(limitOf(claimant), left / (ascending.length - index));
    left -= share;
    return [claimant.id, share];
  });
}

function limitOf({ limit }: Claimant): number {
  return limit ?? Number.POSITIVE_INFINITY;
}
