import type { Backfill } from '@spillway/shared/api/backfill';
import { replayRateOf } from '@spillway/shared/telemetry/replay-rate';
import { useSyncExternalStore } from 'react';
import { rateOf } from '../../backfill/model/applied.ts';
import { usePast } from '../../past/components/past-context.ts';
import { standsStill, useLiveStore } from './live-context.ts';

/**
 * How fast it runs, out of the second that the whole screen shows: the parts there are what the pipeline's rate is the sum of. Before the first second has
 * been heard, as the server last told of it. Renders when it changes.
 */
export function useReplayRate({ id, pipelineId, progress }: Backfill): ReturnType<typeof rateOf> {
  const store = useLiveStore();
  const past = usePast();
  const told = useSyncExternalStore(past === null ? store.subscribe : standsStill, () => {
    const { pipelines } = past === null ? store.getSnapshot() : past.snapshot;
    const replay = pipelines[pipelineId]?.replay ?? null;
    return replay === null ? undefined : replayRateOf(replay, id);
  });
  const own = rateOf(progress);
  return told === undefined ? own : { of: own.of, eventsPerSecond: told };
}
