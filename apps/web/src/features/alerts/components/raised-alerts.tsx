import { useQuery } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { useLivePipeline } from '../../telemetry/components/live-context.ts';
import { raisedAlertsQuery } from '../api/list-alerts.ts';
import { AlertList } from './alert-list.tsx';

/** What is wrong now; nothing at all when nothing is. */
export function RaisedAlerts({ pipelineId }: { readonly pipelineId: string }) {
  const alerts = useQuery(raisedAlertsQuery(pipelineId));
  const nowMs = useLivePipeline(pipelineId)?.atMs ?? null;
  if (alerts.isLoadingError)
    return <Failed what="The alerts" error={alerts.error} onRetry={() => void alerts.refetch()} />;
  if (alerts.data === undefined || alerts.data.length === 0) return null;
  return (
    <Panel title="Alerts" hint={`${alerts.data.length} raised; numbers of the last seconds`} flush>
      <AlertList alerts={alerts.data} nowMs={nowMs} />
    </Panel>
  );
}
