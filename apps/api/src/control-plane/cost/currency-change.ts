/**
 * A price book may change its currency only while nothing has been spent in it, and nothing goes on that will: amounts of two currencies have no sum,
 * and a budget in one cannot hold spend in the other.
 */
import { finalStates } from '@spillway/shared/backfill/state-machine';
import { LIVE } from '@spillway/shared/cost/slots';
import { and, eq, exists, isNotNull, notInArray, or } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Transaction } from '../database/database.ts';
import { backfills, metered } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { meterBook } from './meter-book.ts';

/** Errors: `currency_in_use`, which says what is metered in `from`. */
export async function refuseCurrencyChange(
  ctx: ControlContext,
  tx: Transaction,
  pipelineId: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const why = await usedBy(ctx, tx, pipelineId);
  if (why === null) return;
  throw new ProblemError(
    'currency_in_use',
    `${why} in ${from}, and amounts of two currencies have no sum: prices in ${to} take a pipeline of their own.`,
    { pointer: '/priceBook/currency' },
  );
}

/** Null: nothing is. */
async function usedBy(ctx: ControlContext, tx: Transaction, pipelineId: string): Promise<string | null> {
  const book = meterBook(ctx);
  const { state } = await book.load(pipelineId, tx);
  if (book.usageOf(pipelineId, LIVE) !== null) return 'Live has been metered';
  const accounts = [state.settled, ...Object.values(state.open)].flatMap((use) => Object.keys(use));
  if (accounts[0] !== undefined) return `Backfill ${accounts[0]} has been metered`;
  const [backfill] = await tx
    .select({ id: backfills.id, endedAt: backfills.endedAt })
    .from(backfills)
    .where(
      and(
        eq(backfills.pipelineId, pipelineId),
        or(
          exists(tx.select().from(metered).where(eq(metered.backfillId, backfills.id))),
          and(isNotNull(backfills.priceBookVersion), notInArray(backfills.state, [...finalStates])),
        ),
      ),
    )
    .limit(1);
  if (backfill === undefined) return null;
  return backfill.endedAt === null
    ? `Backfill ${backfill.id} is under way at prices`
    : `Backfill ${backfill.id} has been metered`;
}
