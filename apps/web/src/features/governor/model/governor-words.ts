import type { Ceiling } from '@spillway/shared/api/backfill';
import type { GovernorView } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { formatRate } from '../../../lib/format.ts';

type Phase = GovernorView['adaptivePhase'];

/** How it moves when it moves. What it does now stands at its bar: in either of the first two it may be cut, or hold still. */
export const phaseWords: Readonly<Record<Phase, string>> = {
  off: 'Off',
  slow_start: 'Slow start',
  avoidance: 'Small steps',
  frozen: 'Frozen',
};

const meanings: Readonly<Record<Exclude<Phase, 'off'>, string>> = {
  slow_start: 'doubles while every signal is well',
  avoidance: 'rises slowly while every signal is well and the rate is used',
  frozen: 'neither rises nor is cut while replay is stopped',
};

/** Why it is off the governor says itself: there is more than one reason. */
export function phaseMeaning({
  adaptivePhase,
  ceilings,
}: Pick<GovernorView, 'adaptivePhase' | 'ceilings'>): string {
  if (adaptivePhase !== 'off') return meanings[adaptivePhase];
  return ceilings.find(({ reason }) => reason === 'adaptive')?.detail ?? 'it does not govern';
}

export function floorMeaning({
  eventsPerSecond: capacity,
  measuredEventsPerSecond: measured,
}: Pipeline['capacity']): string {
  if (capacity === null) return 'a part of a capacity that is not known';
  return measured !== null && measured < capacity
    ? `a part of the ${formatRate(Math.round(measured))} measured, less than what is set; kept whatever live needs`
    : 'kept whatever live needs';
}

/**
 * What protects live may not starve replay: the ceilings as they act, none of these below the floor. Only the hard stop goes before
 * the floor, so it stands among them while it acts: what is marked as binding is then what really binds.
 */
export function ceilingsAsTheyAct({
  ceilings,
  floorEventsPerSecond: floor,
  hardStop,
}: Pick<GovernorView, 'ceilings' | 'floorEventsPerSecond' | 'hardStop'>): readonly Ceiling[] {
  const guarded = ceilings.map((ceiling) =>
    floored.has(ceiling.reason) && ceiling.eventsPerSecond !== null && ceiling.eventsPerSecond < floor
      ? {
          ...ceiling,
          eventsPerSecond: floor,
          detail: `${ceiling.detail}; raised to the floor of ${formatRate(floor)}`,
        }
      : ceiling,
  );
  return hardStop === null
    ? guarded
    : [{ reason: 'hard_stop', eventsPerSecond: 0, detail: hardStop }, ...guarded];
}
const floored: ReadonlySet<Ceiling['reason']> = new Set(['live_first', 'adaptive', 'storm']);

/** The lowest; the first of equals, as the governor names them. */
export function bindingOf(ceilings: readonly Ceiling[]): Ceiling['reason'] | null {
  let lowest: Ceiling | null = null;
  for (const ceiling of ceilings)
    if (
      ceiling.eventsPerSecond !== null &&
      ceiling.eventsPerSecond < (lowest?.eventsPerSecond ?? Number.POSITIVE_INFINITY)
    )
      lowest = ceiling;
  return lowest?.reason ?? null;
}
