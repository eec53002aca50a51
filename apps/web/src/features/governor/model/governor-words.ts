import type { Ceiling } from '@spillway/shared/api/backfill';
import type { GovernorView } from '@spillway/shared/api/governor';

export const phaseWords: Readonly<
  Record<GovernorView['adaptivePhase'], { readonly word: string; readonly meaning: string }>
> = {
  off: { word: 'Off', meaning: 'no signal has a target, or the capacity is unknown' },
  slow_start: { word: 'Slow start', meaning: 'doubles while every signal is well' },
  avoidance: {
    word: 'Probing upwards',
    meaning: 'rises slowly while every signal is well and the rate is used',
  },
  frozen: { word: 'Frozen', meaning: 'neither rises nor is cut while replay is stopped' },
};

/** The lowest of the pipeline's own ceilings; the first of equals, as the governor names them. */
export function bindingOf({ ceilings }: Pick<GovernorView, 'ceilings'>): Ceiling['reason'] | null {
  let lowest: Ceiling | null = null;
  for (const ceiling of ceilings)
    if (
      ceiling.eventsPerSecond !== null &&
      ceiling.eventsPerSecond < (lowest?.eventsPerSecond ?? Number.POSITIVE_INFINITY)
    )
      lowest = ceiling;
  return lowest?.reason ?? null;
}
