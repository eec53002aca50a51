import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { Column, PageHead, Pair } from '../components/page.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { ChosenPipeline } from '../features/pipeline/components/chosen-pipeline.tsx';
import { streamsQuery } from '../features/streams/api/get-streams.ts';
import { RoutePanel } from '../features/streams/components/route-panel.tsx';
import { StreamPanel } from '../features/streams/components/stream-panel.tsx';
import { StreamsChart } from '../features/streams/components/streams-chart.tsx';
import { useLive, useStale } from '../features/telemetry/components/live-context.ts';
import { ProblemError } from '../lib/http.ts';
import { useTitle } from '../lib/use-title.ts';

const route = getRouteApi('/room/streams');

/** What waits between reader and store: how much, since when, and how long that may go on. */
export function StreamsPage() {
  useTitle('Streams');
  const { pipeline: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <ChosenPipeline id={chosen} onChoose={(id) => void navigate({ search: { pipeline: id } })}>
      {(pipeline, choice) => <StreamsOf key={pipeline.id} pipeline={pipeline} choice={choice} />}
    </ChosenPipeline>
  );
}

function StreamsOf({ pipeline, choice }: { readonly pipeline: Pipeline; readonly choice: ReactNode }) {
  const snapshot = useLive();
  const stale = useStale();
  const told = snapshot.pipelines[pipeline.id]?.streams ?? [];
  const opening = snapshot.receivedAtMs === null && snapshot.connection !== 'dropped';
  const asked = useQuery({ ...streamsQuery(pipeline.id), enabled: told.length === 0 && !opening });
  const streams = told.length > 0 ? told : (asked.data?.items ?? []);
  const unmeasured = asked.error instanceof ProblemError && asked.error.problem.code === 'unavailable';
  return (
    <Column>
      <PageHead
        title="Streams"
        about={`${pipeline.title} · what waits between the reader and the store`}
        aside={choice}
      />
      {streams.length > 0 ? (
        <Pair>
          {streams.map((stream) => (
            <StreamPanel key={stream.name} stream={stream} stale={stale} />
          ))}
        </Pair>
      ) : opening || asked.isPending ? (
        <PagePending />
      ) : asked.isError && !unmeasured ? (
        <Failed what="The streams" error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Panel title="Streams">
          <Empty title="No stream has been measured yet">
            The apply worker reports lengths and lag once a second as soon as it has joined.
          </Empty>
        </Panel>
      )}
      <StreamsChart
        pipelineId={pipeline.id}
        streams={streams}
        highWaterMark={pipeline.highWaterMark}
        stale={stale}
      />
      <RoutePanel pipeline={pipeline} />
    </Column>
  );
}
