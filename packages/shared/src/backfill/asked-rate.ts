/** The rate a backfill is asked to go at, before the governor has its say. */

export interface AskedLimits {
  /** Null: not limited by a number. */
  readonly eventsPerSecond: number | null;
  /** Of the capacity; null: the pipeline's, unless there is a number. */
  readonly share: number | null;
}

export interface AskedOf {
  readonly replayShare: number;
  /** Events/s; null: unknown. */
  readonly capacityEventsPerSecond: number | null;
}

/** Of the capacity. An explicit rate stands for itself; otherwise a share counts, the backfill's or else the pipeline's. Null: none does. */
export function askedShare(
  { eventsPerSecond, share }: AskedLimits,
  { replayShare }: Pick<AskedOf, 'replayShare'>,
): number | null {
  return share ?? (eventsPerSecond === null ? replayShare : null);
}

/** Events/s; a rate and a share hold both. Null: a share of a capacity that is unknown, and no rate. */
export function askedRate(limits: AskedLimits, pipeline: AskedOf): number | null {
  const share = askedShare(limits, pipeline);
  const { capacityEventsPerSecond: capacity } = pipeline;
  const ofShare = share === null || capacity === null ? null : share * capacity;
  if (limits.eventsPerSecond === null) return ofShare;
  return ofShare === null ? limits.eventsPerSecond : Math.min(limits.eventsPerSecond, ofShare);
}

const PROOF_PER_REPLAY = 10;
/** Events/s: the proof of a trickle ends, too. */
const PROOF_LEAST = 1_000;

/**
 * Events/s a backfill's proof may compare: ten times the rate it was asked to be replayed at, so that it takes a tenth of the time. At full speed it would
 * be the very burst on the store that a low rate is there to prevent.
 */
export function proofRate(askedEventsPerSecond: number): number {
  return Math.max(PROOF_LEAST, PROOF_PER_REPLAY * askedEventsPerSecond);
}
