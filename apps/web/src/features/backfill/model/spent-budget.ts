import type { Backfill } from '@spillway/shared/api/backfill';

type Held = Pick<Backfill, 'holds' | 'allowedActions'>;

/** It stands for its budget alone: raising that is what lets it go on. */
export function waitsForBudget({ holds, allowedActions }: Held): boolean {
  return (
    allowedActions.includes('throttle') &&
    holds.length > 0 &&
    holds.every(({ reason }) => reason === 'budget')
  );
}

/** What was said of the budget before it was spent, is not said beside that it is. */
export function shownWarnings({
  holds,
  warnings,
}: Pick<Backfill, 'holds' | 'warnings'>): Backfill['warnings'] {
  const isSpent = holds.some(({ reason }) => reason === 'budget');
  return warnings.filter(({ code }) => !(isSpent && code === 'budget_near'));
}
