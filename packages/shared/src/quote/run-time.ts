/**
 * How long a backfill takes in all, from its start to its completion: that is what is quoted, and what a finished run is learned against. Only
 * the replay goes at the rate that is asked for; what comes before and after it does not, and in a short run that is most of it.
 *
 *     seconds = begin and end + replay + proof,  proof = events / (PROOF_PER_APPLIED · capacity)
 *
 * The replay is the fluid model's. Proof reads what is stored, at a pace that follows the store's: measured, about twice as fast as it applies.
 */
import { capacityOf, type PipelineModel } from '../simulation/model.ts';
import type { Pace } from './pace.ts';

/** A lease and the file's first rows, the last commit's report, the leases of the proof. */
const BEGIN_AND_END_SECONDS = 1.5;
const PROOF_PER_APPLIED = 2.2;

/** Infinity: it never ends. 0 without events. */
export function runSeconds(model: PipelineModel, { durationSeconds }: Pace, events: number): number {
  if (events <= 0) return 0;
  return BEGIN_AND_END_SECONDS + durationSeconds + events / (PROOF_PER_APPLIED * capacityOf(model));
}
