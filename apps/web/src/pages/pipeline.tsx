import { Skeleton } from '@mantine/core';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { Column, PageHead, Pair } from '../components/page.tsx';
import { Inset, Panel } from '../components/panel.tsx';
import { latelyAlertsQuery } from '../features/alerts/api/list-alerts.ts';
import { AlertList } from '../features/alerts/components/alert-list.tsx';
import { DrillsPanel } from '../features/drills/components/drills-panel.tsx';
import { GovernorPanel } from '../features/governor/components/governor-panel.tsx';
import { SignalsPanel } from '../features/governor/components/signals-panel.tsx';
import { liveAtRisk } from '../features/now/model/live-risk.ts';
import { MomentProvider } from '../features/past/components/moment-provider.tsx';
import { usePast, usePipelineAt, useReading } from '../features/past/components/past-context.ts';
import { CauseChain } from '../features/pipeline/components/cause-chain.tsx';
import { ChosenPipeline } from '../features/pipeline/components/chosen-pipeline.tsx';
import { RemovePanel } from '../features/pipeline/components/remove-panel.tsx';
import { SettingsPanel } from '../features/pipeline/components/settings-panel.tsx';
import { StagesTable } from '../features/pipeline/components/stages-table.tsx';
import { isPressed } from '../features/pipeline/model/stage-look.ts';
import { ProbesPanel } from '../features/probes/components/probes-panel.tsx';
import { SourcesPanel } from '../features/sources/components/sources-panel.tsx';
import { useLive, useLivePipeline, useStale } from '../features/telemetry/components/live-context.ts';
import { Unheard } from '../features/telemetry/components/unheard.tsx';
import { parseDurationMs } from '../lib/duration.ts';
import { formatRate, formatSpan } from '../lib/format.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './pipeline.module.css';

const route = getRouteApi('/room/pipeline');

/** The pipeline in depth: what each stage does, what the governor hears, what it may use, and how to try it. */
export function PipelinePage() {
  useTitle('Pipeline');
  const { pipeline: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <ChosenPipeline
      id={chosen}
      onChoose={(id) => void navigate({ search: (before) => ({ ...before, pipeline: id }) })}
    >
      {(pipeline, choice) => (
        <MomentProvider pipelineId={pipeline.id}>
          <Column>
            <Head pipeline={pipeline} choice={choice} />
            <PipelineOf
              key={pipeline.id}
              pipeline={pipeline}
              onRemoved={() => void navigate({ search: (before) => ({ ...before, pipeline: undefined }) })}
            />
          </Column>
        </MomentProvider>
      )}
    </ChosenPipeline>
  );
}

/** Where Spillway's part ends. */
function externalWords({ url, stream, groups }: NonNullable<Pipeline['external']>): string {
  return `external: publishes to the stream ${stream} on ${url}, and watches ${groups.join(', ')}; consumers and store are your own`;
}

function Head({ pipeline: present, choice }: { readonly pipeline: Pipeline; readonly choice: ReactNode }) {
  const past = usePast();
  const pipeline = usePipelineAt(present);
  const settings = `buckets of ${span(pipeline.bucketWidth)} · allowed lateness ${span(pipeline.allowedLateness)}${pipeline.retention.events === null ? '' : ` · events kept for ${span(pipeline.retention.events)}`}`;
  return (
    <PageHead
      title={pipeline.title}
      about={
        past === null
          ? `capacity ${capacityText(pipeline)} · ${pipeline.external === null ? settings : externalWords(pipeline.external)}`
          : `capacity then: ${formatRate(pipeline.capacity.eventsPerSecond)}`
      }
      aside={choice}
    />
  );
}

function PipelineOf({
  pipeline: present,
  onRemoved,
}: {
  readonly pipeline: Pipeline;
  readonly onRemoved: () => void;
}) {
  const past = usePast();
  const pipeline = usePipelineAt(present);
  const snapshot = useLive();
  const stale = useStale();
  const live = snapshot.pipelines[pipeline.id];
  const governor = live?.governor ?? null;
  const opening = snapshot.receivedAtMs === null && snapshot.connection !== 'dropped';
  const alerts = useReading(latelyAlertsQuery(pipeline.id), (moment) => moment.alerts);
  const raised = alerts?.data?.filter(({ clearedAt }) => clearedAt === null) ?? null;
  const hurting =
    liveAtRisk(snapshot, [{ id: pipeline.id, external: pipeline.external !== null, alerts: raised }]) !==
    null;
  return (
    <>
      <Panel title="Stages" hint="Where time goes, from measured time" flush>
        {live?.stages != null ? (
          <>
            <StagesTable stages={live.stages} stale={stale} hurting={!stale && hurting} />
            <div className={styles.chain}>
              <CauseChain stages={live.stages} loud={!stale && isPressed(live.stages)} />
            </div>
          </>
        ) : opening ? (
          <Waiting />
        ) : (
          <Unheard title="No stage has reported yet">
            The workers report once a second as soon as they have joined.
          </Unheard>
        )}
      </Panel>
      <Pair>
        {governor === null ? (
          <Panel title="Governor">
            {opening ? (
              <Skeleton height={160} />
            ) : (
              <Unheard title="The governor has not looked yet">
                It decides four times a second, once a worker has reported.
              </Unheard>
            )}
          </Panel>
        ) : (
          <GovernorPanel
            governor={governor}
            capacity={pipeline.capacity}
            replay={live?.replay ?? null}
            stale={stale}
          />
        )}
        {past === null ? <SettingsPanel pipeline={pipeline} /> : <Alerts pipeline={pipeline} />}
      </Pair>
      {governor === null ? null : <SignalsPanel pipeline={pipeline} governor={governor} stale={stale} />}
      {past === null ? (
        <>
          <SourcesPanel pipeline={pipeline} />
          <ProbesPanel pipeline={pipeline} governor={governor} stale={stale} />
          <Pair>
            <DrillsPanel pipeline={pipeline} />
            <Alerts pipeline={pipeline} />
          </Pair>
          {present.allowedActions.includes('remove') ? (
            <RemovePanel pipeline={present} onRemoved={onRemoved} />
          ) : null}
        </>
      ) : (
        <NotRecorded />
      )}
    </>
  );
}

function Alerts({ pipeline }: { readonly pipeline: Pipeline }) {
  const past = usePast();
  const atMs = useLivePipeline(pipeline.id)?.atMs ?? null;
  const alerts = useReading(latelyAlertsQuery(pipeline.id), (moment) => moment.alerts);
  return (
    <Panel
      id="alerts"
      title="Alerts"
      hint={past === null ? 'What is wrong and what was, the newest first' : 'What was wrong then'}
      flush
    >
      {alerts === null || alerts.isPending ? (
        <Waiting />
      ) : alerts.isLoadingError ? (
        <Inset>
          <Failed what="The alerts" error={alerts.error} onRetry={() => void alerts.refetch()} />
        </Inset>
      ) : alerts.data.length === 0 ? (
        <Empty title={past === null ? 'Nothing has been wrong' : 'Nothing was wrong'}>
          Storms, breached targets, silent stores and lost workers are told here and on Now.
        </Empty>
      ) : (
        <AlertList alerts={alerts.data} nowMs={atMs} />
      )}
    </Panel>
  );
}

/** In the place of what can only be shown as it is now. */
function NotRecorded() {
  return (
    <Panel title="Not recorded">
      <p>
        Settings, feeds, probes and drills are not recorded from second to second, and what they are now would
        not be true of then. Who changed what stands on the time bar below, and in the audit.
      </p>
    </Panel>
  );
}

function Waiting() {
  return (
    <Inset>
      <Skeleton height={120} />
    </Inset>
  );
}

const span = (duration: string) => formatSpan(parseDurationMs(duration));

const originWords: Readonly<Record<Pipeline['capacity']['origin'], string>> = {
  unknown: '',
  calibrated: ' (calibrated)',
  refined: ' (refined by what ran)',
  set_by_hand: ' (set by hand)',
};

function capacityText({ capacity }: Pipeline): string {
  return capacity.eventsPerSecond === null
    ? 'not measured yet'
    : `${formatRate(Math.round(capacity.eventsPerSecond))}${originWords[capacity.origin]}`;
}
