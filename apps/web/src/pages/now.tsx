import { Button, Skeleton } from '@mantine/core';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { Column, Pair } from '../components/page.tsx';
import { Inset, Panel } from '../components/panel.tsx';
import { RestLine } from '../components/rest-line.tsx';
import { raisedAlertsQuery } from '../features/alerts/api/list-alerts.ts';
import { RaisedAlerts } from '../features/alerts/components/raised-alerts.tsx';
import { type CurrentBackfills, currentBackfillsQuery } from '../features/backfill/api/list-backfills.ts';
import { BackfillTable } from '../features/backfill/components/backfill-table.tsx';
import { shownOnNow } from '../features/backfill/model/current.ts';
import { drillsQuery, underWay } from '../features/drills/api/drills.ts';
import { drillAt } from '../features/drills/model/drill-at.ts';
import { Tiles } from '../features/now/components/tiles.tsx';
import { VerdictBanner } from '../features/now/components/verdict-banner.tsx';
import { decideVerdict } from '../features/now/model/verdict.ts';
import { MomentProvider } from '../features/past/components/moment-provider.tsx';
import { usePast, usePipelineAt, useReading } from '../features/past/components/past-context.ts';
import { sourcesQuery } from '../features/pipeline/api/list-sources.ts';
import { ChosenPipeline } from '../features/pipeline/components/chosen-pipeline.tsx';
import { PipelineStrip } from '../features/pipeline/components/pipeline-strip.tsx';
import { StreamList } from '../features/pipeline/components/stream-list.tsx';
import { outageNote } from '../features/sources/model/gap.ts';
import { useLive, useStale } from '../features/telemetry/components/live-context.ts';
import { ThroughputPanel } from '../features/telemetry/components/throughput-panel.tsx';
import { Unheard } from '../features/telemetry/components/unheard.tsx';
import { formatCount } from '../lib/format.ts';
import { usePainted } from '../lib/use-painted.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './now.module.css';

const route = getRouteApi('/room/');

/** Is the live path safe, and what is hurting it? */
export function NowPage() {
  useTitle('Now');
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
            {choice}
            <NowOf pipeline={pipeline} />
          </Column>
        </MomentProvider>
      )}
    </ChosenPipeline>
  );
}

function NowOf({ pipeline: present }: { readonly pipeline: Pipeline }) {
  const past = usePast();
  const pipeline = usePipelineAt(present);
  const snapshot = useLive();
  const stale = useStale();
  const live = snapshot.pipelines[pipeline.id];
  const backfills = useReading(
    currentBackfillsQuery(pipeline.id),
    ({ backfills: items, backfillsLeftOut: leftOut }) => (items === null ? null : { items, leftOut }),
  );
  const alerts = useReading(raisedAlertsQuery(pipeline.id), (moment) => moment.alerts);
  const opening = snapshot.receivedAtMs === null && snapshot.connection !== 'dropped';
  // Of a page that opens, the sentence is painted before anything under it is made.
  const painted = usePainted();
  const openingBelow = opening || !painted;

  const verdict = decideVerdict({
    external: pipeline.external !== null,
    // A moment that is still on its way is greyed out; the sentence of the one before it stays true of that.
    stale: past === null && stale,
    nowMs: live?.atMs ?? 0,
    values: live?.values ?? {},
    replay: live?.replay ?? null,
    stages: live?.stages ?? null,
    streams: live?.streams ?? [],
    governor: live?.governor ?? null,
    // On their way they are none: they come with the first picture, and an alarm that goes away at once would be believed the next time less.
    alerts: alerts?.isLoadingError === true ? null : (alerts?.data ?? []),
    backfills: backfills?.data?.items ?? null,
    replayPaused: pipeline.replayPaused,
  });

  const uneasy = verdict.level === 'risk' || verdict.level === 'watch';
  const { data: sources } = useQuery({ ...sourcesQuery, refetchInterval: 5_000, enabled: past === null });
  // Which feeds were out is not recorded as such: the marks on the time bar say when one was disconnected.
  const outage =
    past === null ? outageNote((sources ?? []).filter(({ pipelineId }) => pipelineId === pipeline.id)) : null;
  // One may begin while live is uneasy already.
  const drills = useQuery({
    ...drillsQuery(pipeline.id),
    enabled: uneasy && pipeline.external === null,
    refetchInterval: ({ state }) => (past !== null ? false : state.data?.some(underWay) ? 500 : 2_000),
  });
  const drill =
    past === null
      ? uneasy
        ? drills.data?.find(underWay)
        : undefined
      : drillAt(drills.data ?? [], past.moment?.at ?? past.atMs);

  return (
    <>
      {opening ? (
        <Skeleton height={92} radius={12} />
      ) : (
        <VerdictBanner
          verdict={verdict}
          pipeline={pipeline}
          backfills={backfills?.data?.items ?? []}
          governor={live?.governor ?? null}
          outage={outage}
          drill={drill}
        />
      )}
      {openingBelow ? (
        <Skeleton height={128} radius={12} />
      ) : (
        <Tiles
          live={live}
          backfills={backfills?.data?.items}
          stale={stale}
          atRisk={verdict.level === 'risk'}
        />
      )}
      <Panel title="Pipeline" hint={`${pipeline.title}: where time goes, stage by stage`}>
        {openingBelow ? (
          <Skeleton height={190} />
        ) : live?.stages != null ? (
          <PipelineStrip stages={live.stages} stale={stale} hurting={verdict.level === 'risk'} />
        ) : (
          <Unheard title="No stage has reported yet">
            The workers report once a second as soon as they have joined. If none does, look at the log of
            pnpm start.
          </Unheard>
        )}
      </Panel>
      <Panel
        title="Current backfills"
        hint={
          past !== null && (past.moment?.backfillsLeftOut ?? 0) > 0
            ? `${backfills?.data?.items.length ?? 0} were recorded, those at work first; ${past.moment?.backfillsLeftOut} more were not finished`
            : 'Running, waiting, held or failed'
        }
        flush
        aside={<NewButton pipeline={pipeline} />}
      >
        {backfills === null ? (
          <Empty title="Not recorded">Backfills were not recorded yet at this moment.</Empty>
        ) : backfills.isPending || openingBelow ? (
          <Inset>
            <Skeleton height={64} />
          </Inset>
        ) : backfills.isLoadingError ? (
          <Inset>
            <Failed what="The backfills" error={backfills.error} onRetry={() => void backfills.refetch()} />
          </Inset>
        ) : (
          <CurrentList
            list={backfills.data}
            pipelineId={pipeline.id}
            stale={stale}
            empty={
              past !== null ? (
                <Empty title="Nothing was being replayed">The live path had the pipeline to itself.</Empty>
              ) : (
                <Empty
                  title="Nothing is being replayed"
                  action={<Link to="/backfills">See what ran before</Link>}
                >
                  The live path has the pipeline to itself.{' '}
                  <Link to="/backfills/new" search={{ pipeline: pipeline.id }}>
                    The coverage map
                  </Link>{' '}
                  shows where history is missing.
                </Empty>
              )
            }
          />
        )}
      </Panel>
      {/* Comes and goes by itself: below whatever has a button, so that none moves under the pointer. */}
      {painted ? <RaisedAlerts key={pipeline.id} pipelineId={pipeline.id} /> : null}
      <Pair split="chart">
        <ThroughputPanel pipelineId={pipeline.id} stale={stale} />
        <Panel
          title="Streams"
          hint="Length, and how far behind"
          aside={
            <Link to="/streams" search={{ pipeline: pipeline.id }} className={styles.more}>
              Streams in depth
            </Link>
          }
        >
          {openingBelow ? (
            <Skeleton height={160} />
          ) : live !== undefined && live.streams.length > 0 ? (
            <StreamList streams={live.streams} stale={stale} />
          ) : (
            <Unheard title="No stream has been measured yet">
              The apply worker reports lengths and lag once a second.
            </Unheard>
          )}
        </Panel>
      </Pair>
    </>
  );
}

function CurrentList({
  list,
  pipelineId,
  stale,
  empty,
}: {
  readonly list: CurrentBackfills;
  readonly pipelineId: string;
  readonly stale: boolean;
  readonly empty: ReactNode;
}) {
  const past = usePast();
  const shown = shownOnNow(list.items);
  const left = list.items.length - shown.length + list.leftOut;
  return (
    <>
      <BackfillTable
        backfills={shown}
        caption="Current backfills"
        list={pipelineId}
        empty={empty}
        stale={stale}
      />
      {left === 0 ? null : (
        <RestLine>
          {formatCount(left)} more wait, are held or have failed.{' '}
          {past === null ? (
            <Link to="/backfills" search={{ state: 'queued,paused,failed' }}>
              See all of them
            </Link>
          ) : null}
        </RestLine>
      )}
    </>
  );
}

function NewButton({ pipeline }: { readonly pipeline: Pipeline }) {
  if (!pipeline.allowedActions.includes('start_backfill')) return null;
  return (
    <Button
      variant="default"
      className={styles.new}
      leftSection={<IconPlus aria-hidden size={16} />}
      renderRoot={(props) => <Link to="/backfills/new" search={{ pipeline: pipeline.id }} {...props} />}
    >
      New backfill
    </Button>
  );
}
