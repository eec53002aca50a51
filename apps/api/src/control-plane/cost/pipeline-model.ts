/** The model a finished run is compared with; quotes use the same figures, so that what is learned corrects them. */
import { modelOfCapacity } from '@spillway/shared/quote/model-of';
import type { PipelineModel } from '@spillway/shared/simulation/model';
import type { PipelineRow } from '../pipelines/rows.ts';

/** How the applier sizes replay's commits. */
const applierBounds = { longestMs: 20, shortestMs: 3, targetPart: 0.2, rowsMin: 50, rowsMax: 1_000 };
const COMMIT_OVERHEAD_MS = 1.5;
const OLDEST_ENTRY_PART = 0.25;
/** An event of the flights as the embedded stream keeps it. */
export const BYTES_PER_ENTRY = 100;

export function modelOfPipeline(
  pipeline: Pick<PipelineRow, 'route' | 'highWaterMark' | 'replayFloor' | 'signals'> & {
    readonly capacityEventsPerSecond: number;
  },
): PipelineModel {
  const { route, highWaterMark, replayFloor, signals, capacityEventsPerSecond: capacity } = pipeline;
  const target = signals.liveFreshnessMsP99?.target ?? null;
  const { longestMs, shortestMs, targetPart, rowsMin, rowsMax } = applierBounds;
  return modelOfCapacity(capacity, {
    commitOverheadMs: COMMIT_OVERHEAD_MS,
    replayCommit: {
      budgetMs: target === null ? longestMs : Math.min(longestMs, Math.max(shortestMs, target * targetPart)),
      rowsMin,
      rowsMax,
    },
    route: route as PipelineModel['route'],
    highWaterMark,
    oldestEntryMs: route === 'shared' && target !== null ? target * OLDEST_ENTRY_PART : null,
    floorEventsPerSecond: replayFloor * capacity,
    historyEventsPerSecond: Number.POSITIVE_INFINITY,
  });
}
