import type { PriceBook } from '@spillway/shared/api/cost';
import type { Money } from '@spillway/shared/api/primitives';
import { ProblemError } from '../problem-error.ts';

/** A limit that would not limit must not look as if it did. Errors: `invalid_request`. */
export function refuseBudget(budget: Money | null, book: PriceBook | null, pointer: string): void {
  if (budget === null) return;
  if (book === null)
    throw new ProblemError(
      'invalid_request',
      'The pipeline has no price book: nothing is metered in money, and a budget would hold nothing.',
      { pointer },
    );
  if (budget.currency !== book.currency)
    throw new ProblemError(
      'invalid_request',
      `The price book is in ${book.currency}: a budget in ${budget.currency} cannot be compared with it.`,
      { pointer: `${pointer}/currency` },
    );
}
