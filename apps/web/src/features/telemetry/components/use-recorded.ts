import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { useSeen } from '../../../lib/use-seen.ts';
import { usePast } from '../../past/components/past-context.ts';
import { recordedQuery, recordedSteps } from '../api/get-recorded.ts';
import { historyQuery } from '../api/get-telemetry.ts';
import type { MarkerEntry } from '../model/live-store.ts';
import { RingBuffer } from '../model/ring-buffer.ts';
import { binSeries } from '../model/series.ts';
import { useLive, useLiveStore } from './live-context.ts';

/**
 * The last `rangeMs` of some metrics as rows for a chart, and who did what in them: recorded telemetry where this tab was not there yet, the event
 * stream since; of a past moment what was recorded before it. Empty while what `seenRef` is put on is out of sight. `metrics` must not
 * change between renders.
 */
export function useRecorded(pipelineId: string, metrics: readonly string[], rangeMs: number) {
  const [seenRef, seen] = useSeen<HTMLDivElement>();
  const past = usePast();
  const present = usePresent(pipelineId, metrics, rangeMs, seen && past === null);
  const recorded = useBefore(pipelineId, metrics, rangeMs, seen);
  const stretch = past === null ? present : recorded;
  const fromMs = stretch.toMs === null ? 0 : stretch.toMs - rangeMs;
  return { ...stretch, markers: between(stretch.markers, fromMs, stretch.lastMs), fromMs, seen, seenRef };
}

function usePresent(pipelineId: string, metrics: readonly string[], rangeMs: number, drawn: boolean) {
  const past = usePast();
  const store = useLiveStore();
  const { version, pipelines } = useLive();
  const history = useQuery({
    ...historyQuery({ pipelineId, rangeMs, step: rangeMs > 900_000 ? 'PT10S' : 'PT1S' }),
    enabled: past === null,
  });
  useEffect(() => {
    if (history.data === undefined) return;
    store.receiveHistory(pipelineId, history.data);
    store.flush();
  }, [history.data, pipelineId, store]);

  const live = pipelines[pipelineId];
  const ring = live?.ring;
  const toMs = ring?.newestMs ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ring changes in place; `version` says when.
  const rows = useMemo(
    () => (ring === undefined || toMs === null || !drawn ? [] : binSeries(ring, metrics, toMs, rangeMs)),
    [ring, toMs, rangeMs, drawn, version, metrics],
  );
  return { rows, toMs, markers: live?.markers ?? [], lastMs: Number.POSITIVE_INFINITY, history };
}

/** Up to the moment that is looked at, and not a second further. */
function useBefore(pipelineId: string, metrics: readonly string[], rangeMs: number, drawn: boolean) {
  const past = usePast();
  const atMs = past?.atMs ?? 0;
  const history = useQuery({
    ...recordedQuery(pipelineId, atMs, rangeMs, metrics),
    enabled: past !== null,
  });
  const { data } = history;
  const ring = useMemo(() => {
    const filled = new RingBuffer(Math.ceil(rangeMs / 1_000) + 180);
    for (const [name, points] of Object.entries(data?.series ?? {}))
      for (const [at, value] of points) filled.write(at, { [name]: value });
    return filled;
  }, [data, rangeMs]);
  const stepSeconds = recordedSteps[data?.step as keyof typeof recordedSteps] ?? 1;
  const rows = useMemo(
    () => (drawn && data !== undefined ? binSeries(ring, metrics, atMs, rangeMs, stepSeconds) : []),
    [ring, data, metrics, atMs, rangeMs, stepSeconds, drawn],
  );
  return {
    rows,
    toMs: data === undefined ? null : atMs,
    markers: data?.markers ?? [],
    lastMs: atMs,
    history,
  };
}

function between(markers: readonly MarkerEntry[], fromMs: number, toMs: number): readonly MarkerEntry[] {
  return markers.filter(({ at }) => Date.parse(at) >= fromMs && Date.parse(at) <= toMs);
}
