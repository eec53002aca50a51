/**
 * How long a backfill takes in all, from its start to its completion: that is what is quoted, and what a finished run is learned against. Only
 * the replay goes at the rate that is asked for; what comes before and after it does not, and in a short run that is most of it.
 *
 *     seconds = begin and end + replay + proof,  proof = events / min(proof rate, PROOF_PER_APPLIED · capacity)
 *
 * The replay is the fluid model's. Proof reads what is stored, at a rate that follows the replay's (backfill/asked-rate.ts) and as fast as the store
 * lets it: measured, about three times as fast as it applies.
 * What is learned multiplies the whole.
 */
import { proofRate } from '../backfill/asked-rate.ts';
import { SCATTER_SECONDS } from '../cost/spread.ts';
import { capacityOf, type PipelineModel } from '../simulation/model.ts';
import type { Pace } from './pace.ts';

/**
 * A lease and the file's first rows, the governor's slow start, the last commit's report, the leases of the proof: 0.6 to 2 s in ten runs of 3,000 to
 * 8,000 events/s (docs/measurements.md).
 */
const BEGIN_AND_END_SECONDS = 1.5;
const PROOF_PER_APPLIED = 3;

/** Infinity: it never ends. 0 without events. */
export function runSeconds(model: PipelineModel, pace: Pace, events: number): number {
  if (events <= 0) return 0;
  return BEGIN_AND_END_SECONDS + pace.durationSeconds + events / provedPerSecond(model, pace);
}

/** Events/s that are compared; Infinity where nothing is. */
export function provedPerSecond(
  model: PipelineModel,
  { publishedEventsPerSecond }: Pick<Pace, 'publishedEventsPerSecond'>,
): number {
  if (model.unproved === true) return Number.POSITIVE_INFINITY;
  return Math.min(proofRate(publishedEventsPerSecond), PROOF_PER_APPLIED * capacityOf(model));
}

export interface SecondsRange {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

/** A range that grows with the length of the run, and the scatter of beginning and end, which does not: independent, so their squares add up. */
export function withScatter({ low, likely, high }: SecondsRange): SecondsRange {
  return {
    low: Math.max(0, likely - Math.hypot(likely - low, SCATTER_SECONDS)),
    likely,
    high: likely + Math.hypot(high - likely, SCATTER_SECONDS),
  };
}
