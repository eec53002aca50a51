import type { Drill } from '@spillway/shared/api/governor';
import { formatMs } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';

/** What became of it. A drill that ended without all being normal is over, and has not gone well. */
export type DrillOutcome = Drill['state'] | 'not_recovered';

export function outcomeOf({ state, recoveredAt }: Pick<Drill, 'state' | 'recoveredAt'>): DrillOutcome {
  return state === 'finished' && recoveredAt === null ? 'not_recovered' : state;
}

/** For whoever looks at Now meanwhile: the store stands still on purpose, by whom, and how long that can last. */
export function drillNote({ state, forMs, stalledAt, startedBy, releasedBy }: Drill): string {
  if (state !== 'stalling')
    return `This is a fire drill, started by ${startedBy}: the store has been released${releasedBy === null ? '' : ` by ${releasedBy}`}, and what waited is worked off.`;
  const since = stalledAt === null ? '' : `, since ${formatClock(stalledAt)} UTC`;
  return `This is a fire drill, started by ${startedBy}: the store is stalled on purpose for ${formatMs(forMs)}${since}, and is released ${releasedBy === null ? 'by itself' : `now by ${releasedBy}`}.`;
}
