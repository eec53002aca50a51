import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import { subscribeNow, useNow } from '../../../lib/use-now.ts';
import { usePast } from '../../past/components/past-context.ts';
import { isStale, type LiveSnapshot, type LiveStore, type PipelineSnapshot } from '../model/live-store.ts';

export const LiveContext = createContext<LiveStore | null>(null);

export function useLiveStore(): LiveStore {
  const store = useContext(LiveContext);
  if (store === null) throw new Error('LiveProvider is missing');
  return store;
}

export const standsStill = () => () => {};

/** What is known now, or what was known at the past moment that is looked at: then nothing live is listened to. */
export function useLive(): LiveSnapshot {
  const store = useLiveStore();
  const past = usePast();
  return useSyncExternalStore(
    past === null ? store.subscribe : standsStill,
    past === null ? store.getSnapshot : () => past.snapshot,
  );
}

export function useLivePipeline(pipelineId: string): PipelineSnapshot | undefined {
  return useLive().pipelines[pipelineId];
}

/**
 * Whether values are stale: renders when that changes, not with every second that passes. Of the past: whether what is shown is not yet what
 * was chosen.
 */
export function useStale(): boolean {
  const store = useLiveStore();
  const past = usePast();
  const stale = useSyncExternalStore(
    useCallback(
      (listener) => {
        const stopStore = store.subscribe(listener);
        const stopClock = subscribeNow(listener);
        return () => {
          stopStore();
          stopClock();
        };
      },
      [store],
    ),
    () => {
      const snapshot = store.getSnapshot();
      // While the first connection is being made nothing is old yet.
      const opening = snapshot.receivedAtMs === null && snapshot.connection !== 'dropped';
      return !opening && isStale(snapshot, Date.now());
    },
  );
  return past === null ? stale : past.loading;
}

interface Freshness {
  readonly stale: boolean;
  /** Since the newest telemetry arrived; null before the first. */
  readonly ageMs: number | null;
  readonly snapshot: LiveSnapshot;
}

export function useFreshness(): Freshness {
  const snapshot = useLive();
  const nowMs = useNow();
  const ageMs = snapshot.receivedAtMs === null ? null : Math.max(0, nowMs - snapshot.receivedAtMs);
  return { stale: isStale(snapshot, nowMs), ageMs, snapshot };
}
