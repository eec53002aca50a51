/** The model of quotes, and the one a finished run is compared with: what is learned corrects the very figures that were quoted. */
import { sizingCapacity } from '@spillway/shared/governor/capacity';
import { oldestSharedEntryMs } from '@spillway/shared/governor/route';
import { modelOfCapacity } from '@spillway/shared/quote/model-of';
import type { PipelineModel } from '@spillway/shared/simulation/model';
import type { PipelineRow } from '../pipelines/rows.ts';

/** How the applier sizes replay's commits; a test holds these to its own. */
export const applierBounds = { longestMs: 20, shortestMs: 3, targetPart: 0.2, rowsMin: 50, rowsMax: 1_000 };
/** Of the embedded database; it is a small part of a commit of hundreds of rows. */
const COMMIT_OVERHEAD_MS = 1.5;

export function modelOfPipeline(
  pipeline: Pick<
    PipelineRow,
    'route' | 'highWaterMark' | 'replayFloor' | 'signals' | 'external' | 'measuredEventsPerSecond'
  > & {
    readonly capacityEventsPerSecond: number;
  },
  longestPauseMs: number,
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
    // Of a shared stream, whichever there is now: what the other would come to is forecast beside it.
    oldestEntryMs: target === null ? null : oldestSharedEntryMs(target),
    floorEventsPerSecond: replayFloor * (sizingCapacity(capacity, pipeline.measuredEventsPerSecond) ?? 0),
    // Nobody has measured what a reader yields at most; it has been many times what a store takes.
    historyEventsPerSecond: Number.POSITIVE_INFINITY,
    longestPauseMs,
    ...(pipeline.external === null ? {} : { unproved: true }),
  });
}
