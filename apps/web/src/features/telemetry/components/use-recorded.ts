import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { useSeen } from '../../../lib/use-seen.ts';
import { historyQuery } from '../api/get-telemetry.ts';
import { binSeries } from '../model/series.ts';
import { useLive, useLiveStore } from './live-context.ts';

/**
 * The last `rangeMs` of some metrics as rows for a chart: recorded telemetry where this tab was not there yet, the event stream since.
 * Empty while what `seenRef` is put on is out of sight. `metrics` must not change between renders.
 */
export function useRecorded(pipelineId: string, metrics: readonly string[], rangeMs: number) {
  const store = useLiveStore();
  const { version, pipelines } = useLive();
  const [seenRef, seen] = useSeen<HTMLDivElement>();
  const history = useQuery(historyQuery({ pipelineId, rangeMs, step: rangeMs > 900_000 ? 'PT10S' : 'PT1S' }));
  useEffect(() => {
    if (history.data === undefined) return;
    store.receiveHistory(pipelineId, history.data);
    store.flush();
  }, [history.data, pipelineId, store]);

  const ring = pipelines[pipelineId]?.ring;
  const newestMs = ring?.newestMs ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ring changes in place; `version` says when.
  const rows = useMemo(
    () =>
      ring === undefined || newestMs === null || !seen ? [] : binSeries(ring, metrics, newestMs, rangeMs),
    [ring, newestMs, rangeMs, seen, version, metrics],
  );
  return { rows, newestMs, fromMs: newestMs === null ? 0 : newestMs - rangeMs, history, seen, seenRef };
}
