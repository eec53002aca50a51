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

/** Of a budget, for the proof of what is done or will be: nothing once the proof has begun, or the run is over, or while nothing has been metered. Atoms. */
export function keptForProof(
  run: { readonly done: number; readonly onStream: number; readonly isReplaying: boolean },
  prices: Prices,
  soFar: Pick<Priced, 'spend' | 'total'> | null,
): Atoms {
  if (!run.isReplaying || soFar === null) return 0n;
  return proofCost(run.done + run.onStream, prices, soFar);
}

/**
 * What the proof of what is done will still come to. Not by the reads that have been metered: those of a proof that had to begin anew
 * are paid for, and owed once more. Atoms, 0 and up.
 */
export function owedForProof(
  events: { readonly done: number; readonly checked: number },
  prices: Prices,
  soFar: Pick<Priced, 'spend' | 'total'> | null,
): Atoms {
  return soFar === null ? 0n : proofCost(Math.max(0, events.done - events.checked), prices, soFar);
}
