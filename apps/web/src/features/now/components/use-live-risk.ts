import { useQueries, useQuery } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { raisedAlertsQuery } from '../../alerts/api/list-alerts.ts';
import { pipelinesQuery } from '../../pipeline/api/list-pipelines.ts';
import { useLiveStore } from '../../telemetry/components/live-context.ts';
import { isSuspect, liveAtRisk } from '../model/live-risk.ts';

/** The pipeline whose live path is at risk now, whatever screen or moment is looked at; null: none. Renders when that changes, not with every second. */
export function useLiveRisk(): string | null {
  const store = useLiveStore();
  const { data: pipelines = [] } = useQuery(pipelinesQuery);
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
  const judged = ids.map((id, index) => ({ id, alerts: alerts[index]?.data ?? null }));
  return useSyncExternalStore(store.subscribe, () => liveAtRisk(store.getSnapshot(), judged));
}
