/**
 * A pipeline's rate among its backfills, after each has been decided on its own.
 *
 * Backfills that live on a share draw on one pool, as large as the largest share among them: two backfills at the default
 * 20 % get 20 % together, not 40. Explicit rates are added to that, and everything together stays within the capacity and within
 * what live leaves: the lowest of the ceilings that hold for the pipeline as a whole. While the capacity is unknown, the safe rate
 * is for all together, too.
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

/** The decisions as they stand after the division, by backfill. Their rates never add up to more than the capacity. */
export function dividePipeline(
  capacityEventsPerSecond: number | null,
  backfills: readonly DecidedBackfill[],
): Map<string, Effective> {
  const total = Math.min(
    capacityEventsPerSecond ?? UNKNOWN_CAPACITY_EVENTS_PER_SECOND,
    ...backfills.flatMap(({ decision }) => decision.ceilings.filter(isOfPipeline).map(limitOf)),
  );
  const sharing = backfills.filter((backfill) => backfill.share !== null);
  const pool =
    capacityEventsPerSecond === null
      ? 0
      : Math.max(0, ...sharing.map((backfill) => backfill.share ?? 0)) * capacityEventsPerSecond;
  const fromPool = divide(
    pool,
    sharing.map((backfill) => claim(backfill, backfill.decision.eventsPerSecond)),
  );
  const rates = divide(
    total,
    backfills.map((backfill) =>
      claim(backfill, fromPool.get(backfill.backfillId) ?? backfill.decision.eventsPerSecond),
    ),
  );
  return new Map(
    backfills.map((backfill) => [
      backfill.backfillId,
      lowered(backfill.decision, rates.get(backfill.backfillId) ?? 0, {
        among: backfills.length,
        byUse: backfills.some(({ demand }) => demand !== null),
        otherwise: capacityEventsPerSecond === null ? 'capacity_unknown' : 'share',
      }),
    ]),
  );
}

function claim({ backfillId, priority, demand }: DecidedBackfill, limit: number): Claimant {
  const least = limit * LEAST_DEMAND_PART;
  return { id: backfillId, priority, limit, demand: demand === null ? null : Math.max(demand, least) };
}

const ofPipeline: readonly Ceiling['reason'][] = ['storm', 'stream', 'live_first', 'adaptive'];

function isOfPipeline({ reason }: Ceiling): boolean {
  return ofPipeline.includes(reason);
}

function limitOf({ eventsPerSecond }: Ceiling): number {
  return eventsPerSecond ?? Number.POSITIVE_INFINITY;
}

/**
 * Sharing with others, or an explicit rate above what there is, shows as the share ceiling (or as that of an unknown capacity); a part of
 * what live leaves shows as that ceiling, when it is what there was too little of.
 */
function lowered(
  decision: Effective,
  eventsPerSecond: number,
  {
    among,
    byUse,
    otherwise,
  }: { readonly among: number; readonly byUse: boolean; readonly otherwise: 'share' | 'capacity_unknown' },
): Effective {
  if (eventsPerSecond >= decision.eventsPerSecond) return decision;
  const divided = `divided among ${among} backfills${byUse ? ', by what they use' : ''}`;
  const why = among === 1 ? 'held to the capacity' : divided;
  const binding =
    decision.binding !== null && ofPipeline.includes(decision.binding) ? decision.binding : otherwise;
  const ceilings = decision.ceilings.map((ceiling) =>
    ceiling.reason === binding
      ? { ...ceiling, eventsPerSecond, detail: `${ceiling.detail}, ${why}` }
      : ceiling,
  );
  return { eventsPerSecond, binding, ceilings };
}
