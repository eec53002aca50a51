/** Prices and experience of a pipeline, as quotes need them. */
import type { PriceBook } from '@spillway/shared/api/cost';
import type { FinishedRun } from '@spillway/shared/cost/coefficients';
import { PRESETS_DATED, pricePresets } from '@spillway/shared/cost/presets';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';

export interface Pricing {
  /** The current version; null: the pipeline has none, and nothing has a price. */
  priceBook(tx: Database | Transaction, pipelineId: string): Promise<PriceBook | null>;
  /** Oldest first, the last few. */
  finishedRuns(
    ctx: Pick<ControlContext, 'database' | 'clock'>,
    tx: Database | Transaction,
    pipelineId: string,
  ): Promise<readonly FinishedRun[]>;
}

/** Until a pipeline has a price book and runs of its own: an example, marked as such, and no experience. */
export const examplePricing: Pricing = {
  priceBook: async () => ({
    ...pricePresets['example-own-machines'],
    version: 1,
    exampleOf: PRESETS_DATED,
    changedBy: 'spillway',
    changedAt: `${PRESETS_DATED}T00:00:00Z`,
  }),
  finishedRuns: async () => [],
};
