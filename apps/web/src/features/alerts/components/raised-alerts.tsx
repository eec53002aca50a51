import { useState } from 'react';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { ShowMore } from '../../../components/show-more.tsx';
import { useReading } from '../../past/components/past-context.ts';
import { useLivePipeline } from '../../telemetry/components/live-context.ts';
import { raisedAlertsQuery } from '../api/list-alerts.ts';
import { shownAtFirst } from '../model/alert-words.ts';
import { AlertList } from './alert-list.tsx';

/** What is wrong now; nothing at all when nothing is. */
export function RaisedAlerts({ pipelineId }: { readonly pipelineId: string }) {
  const alerts = useReading(raisedAlertsQuery(pipelineId), (moment) => moment.alerts);
  const [all, setAll] = useState(false);
  const nowMs = useLivePipeline(pipelineId)?.atMs ?? null;
  if (alerts === null) return null;
  if (alerts.isLoadingError)
    return <Failed what="The alerts" error={alerts.error} onRetry={() => void alerts.refetch()} />;
  if (alerts.data === undefined || alerts.data.length === 0) return null;
  const first = shownAtFirst(alerts.data);
  return (
    <Panel title="Alerts" hint={`${alerts.data.length} raised; numbers of the last seconds`} flush>
      <AlertList alerts={all ? alerts.data : first} nowMs={nowMs} />
      <ShowMore more={alerts.data.length - first.length} all={all} onAll={setAll} />
    </Panel>
  );
}
