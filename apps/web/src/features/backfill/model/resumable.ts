import type { Backfill } from '@spillway/shared/api/backfill';

type Held = Pick<Backfill, 'holds' | 'allowedActions'>;

/** Resuming lifts the operator's hold and no other: of one that is held by its budget, or by the brake alone, it would do nothing. */
export function isResumable({ holds, allowedActions }: Held): boolean {
  // A pause that was just asked for has no hold here yet.
  return (
    allowedActions.includes('resume') &&
    (holds.length === 0 || holds.some(({ reason }) => reason === 'operator'))
  );
}

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
