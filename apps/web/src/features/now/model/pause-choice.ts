import type { Backfill } from '@spillway/shared/api/backfill';
import { publishRate } from './publish-rate.ts';

/** Held where a glance would see it. */
const offered = 2;
/** How many times faster another has to be than one that is offered already. Rates of one second differ by less without a cause. */
const clearlyFaster = 1.5;

/**
 * Which backfills have a button to pause them: the fastest, in the order of their ids. Their rates change with every second, and a
 * button that took another's place would be pressed for it: one that is offered stays while it runs, also through a second in which it
 * published nothing, unless others are clearly faster.
 *
 * `suspects`: those that publish now; `before`: the ids that are offered already.
 */
export function pauseChoice(
  backfills: readonly Backfill[],
  suspects: readonly Backfill[],
  before: readonly string[],
): readonly Backfill[] {
  const isOffered = ({ id }: Backfill) => before.includes(id);
  const weight = (backfill: Backfill) => publishRate(backfill) * (isOffered(backfill) ? clearlyFaster : 1);
  const candidates = backfills.filter(
    (backfill) =>
      backfill.allowedActions.includes('pause') &&
      backfill.state === 'running' &&
      (isOffered(backfill) || suspects.includes(backfill)),
  );
  return candidates
    .sort((a, b) => weight(b) - weight(a))
    .slice(0, offered)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
