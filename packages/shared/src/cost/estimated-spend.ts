import type { EstimatedCost, PriceBook } from '../api/cost.ts';
import { type Atoms, atomsOf } from './money.ts';

/** The likely spend of an estimate, whose range is of everything used: spend may be its overage only. */
export function estimatedSpend(
  { likely, items }: EstimatedCost,
  spendCounts: PriceBook['spendCounts'],
): Atoms {
  if (spendCounts === 'everything') return atomsOf(likely);
  return items.reduce((sum, { overage }) => sum + (overage === null ? 0n : atomsOf(overage)), 0n);
}
