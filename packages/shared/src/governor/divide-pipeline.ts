/**
 * A pipeline's rate among its backfills, after each has been decided on its own.
 *
 * Backfills that live on a share draw on one pool, as large as the largest share among them: two backfills at the default
 * 20 % get 20 % together, not 40. Explicit rates are added to that, and everything together stays within the capacity and within
 * what live leaves: the lowest of the ceilings that hold for the pipeline as a whole. While the capacity is unknown, the safe rate
 * is for all together, too.
 *
 * What binds one whose rate falls here is the ceiling that would have to rise for it to be quicker.
 */
import type { Ceiling, Effective } from '../api/backfill.ts';
import { UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from './capacity.ts';
import { type Claimant, divide } from './divide.ts';

export interface DecidedBackfill {
  readonly backfillId: string;
  readonly priority: number;
  readonly decision: Effective;
  /** Null: it has an explicit rate instead. */
  readonly share: number | null;
  /** What its reader can use, events/s (demand.ts); null: as much as it gets. */
  readonly demand: number | null;
}

/** Of what it might have: the least demand, or one whose source stood still could never show that it is back. */
const LEAST_DEMAND_PART = 0.1;

/** Arithmetic is as wrong as this: what is not lower by more has not been lowered. */
const ROUNDING = 1e-12;

/** The decisions as they stand after the division, by backfill. Their rates never add up to more than the capacity. */
export function dividePipeline(
  capacityEventsPerSecond: number | null,
  backfills: readonly DecidedBackfill[],
): Map<string, Effective> {
  const whole = wholeOf(capacityEventsPerSecond, backfills);
  const sharing = backfills.filter((backfill) => backfill.share !== null);
  const pool =
    capacityEventsPerSecond === null
      ? 0
      : Math.max(0, ...sharing.map((backfill) => backfill.share ?? 0)) * capacityEventsPerSecond;
  const fromPool = divide(
    pool,
    sharing.map((backfill) => claim(backfill, backfill.decision.eventsPerSecond)),
  );
  const wanted = ({ backfillId, decision }: DecidedBackfill) =>
    fromPool.get(backfillId) ?? decision.eventsPerSecond;
  const rates = divide(
    whole.eventsPerSecond,
    backfills.map((backfill) => claim(backfill, wanted(backfill))),
  );
  return new Map(
    backfills.map((backfill) => {
      const rate = rates.get(backfill.backfillId) ?? 0;
      if (isLower(rate, wanted(backfill)))
        return [backfill.backfillId, lowered(backfill, rate, whole.reason, backfills)];
      if (isLower(rate, backfill.decision.eventsPerSecond))
        return [backfill.backfillId, lowered(backfill, rate, 'share', sharing)];
      return [backfill.backfillId, backfill.decision];
    }),
  );
}

function isLower(rate: number, than: number): boolean {
  return rate < than * (1 - ROUNDING);
}

/**
 * What there is for all together, and which ceiling makes it so. Where what live leaves is as low as the capacity, it says more about
 * why; the safe rate of an unknown capacity is itself the reason.
 */
function wholeOf(
  capacityEventsPerSecond: number | null,
  backfills: readonly DecidedBackfill[],
): { readonly reason: Ceiling['reason']; readonly eventsPerSecond: number } {
  const ofPipeline = backfills.flatMap(({ decision }) => decision.ceilings.filter(isOfPipeline));
  const all =
    capacityEventsPerSecond === null
      ? [
          { reason: 'capacity_unknown', eventsPerSecond: UNKNOWN_CAPACITY_EVENTS_PER_SECOND } as const,
          ...ofPipeline,
        ]
      : [...ofPipeline, { reason: 'share', eventsPerSecond: capacityEventsPerSecond } as const];
  return all
    .map(({ reason, eventsPerSecond }) => ({
      reason,
      eventsPerSecond: eventsPerSecond ?? Number.POSITIVE_INFINITY,
    }))
    .reduce((lowest, other) => (other.eventsPerSecond < lowest.eventsPerSecond ? other : lowest));
}

function claim({ backfillId, priority, demand }: DecidedBackfill, limit: number): Claimant {
  const least = limit * LEAST_DEMAND_PART;
  return { id: backfillId, priority, limit, demand: demand === null ? null : Math.max(demand, least) };
}

const ofPipeline: readonly Ceiling['reason'][] = ['storm', 'stream', 'live_first', 'adaptive'];

function isOfPipeline({ reason }: Ceiling): boolean {
  return ofPipeline.includes(reason);
}

/**
 * Lowered by the division: the ceiling that there was too little of is named, with its part of it. That is the share where the pool of
 * those on a share was divided, and else what made the whole so small.
 */
function lowered(
  { decision, priority }: DecidedBackfill,
  eventsPerSecond: number,
  binding: Ceiling['reason'],
  among: readonly DecidedBackfill[],
): Effective {
  const byUse = among.some(({ demand }) => demand !== null) ? ', by what they use' : '';
  const after = among.some((other) => other.priority > priority) ? ', higher priorities first' : '';
  const why =
    among.length === 1 ? 'held to the capacity' : `divided among ${among.length} backfills${after}${byUse}`;
  const ceilings = decision.ceilings.map((ceiling) =>
    ceiling.reason === binding
      ? { ...ceiling, eventsPerSecond, detail: `${ceiling.detail}, ${why}` }
      : ceiling,
  );
  return { eventsPerSecond, binding, ceilings };
}
