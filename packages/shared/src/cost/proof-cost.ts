import { assumedPerEvent } from './coefficients.ts';
import { type Priced, type Prices, priceUsage } from './items.ts';
import { type Atoms, priceOf } from './money.ts';

/**
 * What proving so many events will cost: a row of the store for each, and a little for their buckets. Atoms.
 *
 * @param events 0 and up
 * @param soFar What the run has come to, so much of which provisioned capacity did not absorb: nor will it absorb more of the proof. Null: full price.
 */
export function proofCost(
  events: number,
  prices: Prices,
  soFar: Pick<Priced, 'spend' | 'total'> | null,
): Atoms {
  const storeReads = BigInt(Math.ceil(events * assumedPerEvent.storeReads));
  const { total } = priceUsage({ total: { storeReads }, absorbed: {}, apportioned: [] }, prices);
  if (soFar === null) return total;
  return soFar.total > 0n ? priceOf(total, soFar.spend, soFar.total) : 0n;
}

/** Of a budget, for the proof of what is published: nothing once the proof has begun, or the run is over, or while nothing has been metered. Atoms. */
export function keptForProof(
  run: { readonly published: number; readonly done: number; readonly isReplaying: boolean },
  prices: Prices,
  soFar: Pick<Priced, 'spend' | 'total'> | null,
): Atoms {
  if (!run.isReplaying || soFar === null) return 0n;
  return proofCost(Math.max(run.published, run.done), prices, soFar);
}

/** What the proof of so many events will come to beyond the reads that have been metered. Atoms, 0 and up. */
export function owedForProof(events: number, prices: Prices, soFar: Priced | null): Atoms {
  if (soFar === null || soFar.total <= 0n) return 0n;
  const read = soFar.items.find(({ item }) => item === 'store_reads')?.total ?? 0n;
  const left = proofCost(events, prices, null) - read;
  return left > 0n ? priceOf(left, soFar.spend, soFar.total) : 0n;
}
