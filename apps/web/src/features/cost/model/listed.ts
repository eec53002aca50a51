import type { PipelineCost } from '@spillway/shared/api/cost';
import { decimalsOfAll } from '../../../lib/money.ts';

type Row = Pick<PipelineCost['backfills'][number], 'metered'>;

/** With more of them what live costs, and the prices, are lost far below. */
const FEW_ROWS = 10;

/** Every backfill that has a meter, and the newest of those that have none: fifty that wait have nothing to say. `leftOut`: how many of them are not listed. */
export function listedCosts<T extends Row>(backfills: readonly T[]): { rows: readonly T[]; leftOut: number } {
  const metered = backfills.filter((row) => row.metered !== null).length;
  let room = Math.max(0, FEW_ROWS - metered);
  const rows = backfills.filter((row) => {
    if (row.metered !== null) return true;
    room -= 1;
    return room >= 0;
  });
  return { rows, leftOut: backfills.length - rows.length };
}

/** Of the columns of amounts. What is metered is one figure and its parts, so its three columns have the same. */
export interface RowDecimals {
  readonly metered: number;
  readonly estimated: number;
  readonly perHour: number;
}

export function decimalsOfRows(rows: readonly PipelineCost['backfills'][number][]): RowDecimals {
  return {
    metered: decimalsOfAll(
      rows.flatMap(({ metered }) => [metered?.spend, metered?.provisioned, metered?.overage]),
    ),
    estimated: decimalsOfAll(rows.map(({ estimate }) => estimate?.likely)),
    perHour: decimalsOfAll(rows.map(({ spendPerHour }) => spendPerHour)),
  };
}
