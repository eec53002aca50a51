import type { Moment } from '@spillway/shared/api/past';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { ProblemError } from '../../../lib/http.ts';
import type { LiveSnapshot } from '../../telemetry/model/live-store.ts';
import { RingBuffer } from '../../telemetry/model/ring-buffer.ts';
import { momentsQuery } from '../api/get-moments.ts';
import { chunkOf, momentAt, nearest, nextChunk, stepMsAt } from '../model/chunks.ts';
import type { Past } from './past-context.ts';

export type PastMoment =
  | { readonly kind: 'shown'; readonly past: Past }
  | { readonly kind: 'future' | 'not_recorded' }
  | { readonly kind: 'failed'; readonly error: Error; readonly retry: () => void };

const durationsMs: Readonly<Record<string, number>> = { PT1S: 1_000, PT10S: 10_000, PT1M: 60_000 };
/** So long a second may take until it is written. */
const WRITTEN_WITHIN_MS = 5_000;

/** The moment that is looked at, out of its chunk; the chunk beside it is fetched before it is wanted. Nobody looks back while `atMs` is null. */
export function usePastMoment(pipelineId: string, atMs: number | null): PastMoment {
  const queryClient = useQueryClient();
  const nowMs = Date.now();
  const stepMs = stepMsAt(atMs ?? nowMs, nowMs);
  const { data, isPlaceholderData, isPending, isLoadingError, error, refetch } = useQuery({
    ...momentsQuery(pipelineId, chunkOf(atMs ?? 0, stepMs)),
    enabled: atMs !== null,
    // Of another pipeline it would be no moment of this one.
    placeholderData: (before, query) => (query?.queryKey[1] === pipelineId ? before : undefined),
  });
  const soon = atMs === null ? null : nextChunk(atMs, stepMs);
  const [soonFromMs, soonToMs] = [soon?.fromMs ?? null, soon?.toMs ?? null];
  useEffect(() => {
    if (soonFromMs === null || soonToMs === null || soonFromMs > Date.now()) return;
    void queryClient.prefetchQuery(momentsQuery(pipelineId, { fromMs: soonFromMs, toMs: soonToMs }));
  }, [queryClient, pipelineId, soonFromMs, soonToMs]);

  const at = atMs ?? 0;
  const keptStepMs = durationsMs[data?.step ?? ''] ?? stepMs;
  const exact = data === undefined || isPlaceholderData ? null : momentAt(data.items, at, keptStepMs);
  const awaited = exact === null && !isPlaceholderData && at <= nowMs && nowMs - at < WRITTEN_WITHIN_MS;
  const loading = isPending || isPlaceholderData || awaited;
  const moment = exact ?? (data !== undefined && loading ? nearest(data.items, at) : null);
  const past = useMemo<Past>(
    () => ({ atMs: at, moment, loading, snapshot: snapshotOf(pipelineId, moment) }),
    [at, moment, loading, pipelineId],
  );
  if (moment !== null || loading) return { kind: 'shown', past };
  if (at > nowMs) return { kind: 'future' };
  if (!isLoadingError || (error instanceof ProblemError && error.problem.code === 'moment_not_recorded'))
    return { kind: 'not_recorded' };
  return { kind: 'failed', error, retry: () => void refetch() };
}

/** In the shape the live store gives its snapshots; its charts read their own stretch of the past. */
function snapshotOf(pipelineId: string, moment: Moment | null): LiveSnapshot {
  if (moment === null) return { version: 0, connection: 'connecting', receivedAtMs: null, pipelines: {} };
  const { at, values, replay, stages, streams, markers, governor } = moment;
  return {
    version: at,
    connection: 'open',
    receivedAtMs: at,
    pipelines: {
      [pipelineId]: { ring: new RingBuffer(1), atMs: at, values, replay, stages, streams, markers, governor },
    },
  };
}
