import { useQueries, useQuery } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { raisedAlertsQuery } from '../../alerts/api/list-alerts.ts';
import { chosenOf, pipelinesQuery } from '../../pipeline/api/list-pipelines.ts';
import { useNamedPipeline } from '../../pipeline/components/use-named-pipeline.ts';
import { useLiveStore } from '../../telemetry/components/live-context.ts';
import { isSuspect, liveAtRisk, ownFirst } from '../model/live-risk.ts';

/** The pipeline whose live path is at risk now, whatever screen or moment is looked at, the screen's own before another; null: none. Renders when that changes, not with every second. */
export function useLiveRisk(): string | null {
  const store = useLiveStore();
  const { data: told = [] } = useQuery(pipelinesQuery);
  const pipelines = ownFirst(told, chosenOf(told, useNamedPipeline())?.id);
  const ids = pipelines.map(({ id }) => id);
  const suspects = useSyncExternalStore(
    store.subscribe,
    useCallback(() => {
      const { pipelines: live } = store.getSnapshot();
      return Object.keys(live)
        .filter((id) => isSuspect(live[id]))
        .join(' ');
    }, [store]),
  ).split(' ');
  const alerts = useQueries({
    queries: ids.map((id) => ({ ...raisedAlertsQuery(id), enabled: suspects.includes(id) })),
  });
  const judged = pipelines.map(({ id, external }, index) => ({
    id,
    external: external !== null,
    alerts: alerts[index]?.data ?? null,
  }));
  return useSyncExternalStore(store.subscribe, () => liveAtRisk(store.getSnapshot(), judged));
}
