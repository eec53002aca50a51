/** The model pipeline that has a measured capacity: the store's speed is what makes `capacityOf(model)` that figure. */
import type { PipelineModel } from '../simulation/model.ts';

export function modelOfCapacity(
  capacityEventsPerSecond: number,
  rest: Omit<PipelineModel, 'storeRowsPerSecond'>,
): PipelineModel {
  const { budgetMs, rowsMin, rowsMax } = rest.replayCommit;
  const commitMs = 1000 / capacityEventsPerSecond;
  // Rows of a commit that lasts the budget, held to what the applier allows; a commit of them takes rows · commitMs in all.
  const rows = Math.min(rowsMax, Math.max(rowsMin, budgetMs / commitMs));
  const rowMs = Math.max(1e-6, commitMs - rest.commitOverheadMs / rows);
  return { ...rest, storeRowsPerSecond: 1000 / rowMs };
}
