import { Skeleton } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { nameOfRemoved } from '@spillway/shared/pipeline/removed-id';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { Column, PageHead, Pair } from '../components/page.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { backfillQuery } from '../features/backfill/api/get-backfill.ts';
import { backfillKeys } from '../features/backfill/api/keys.ts';
import { AuditTrail } from '../features/backfill/components/audit-trail.tsx';
import { Ceilings } from '../features/backfill/components/ceilings.tsx';
import { HeatStrip } from '../features/backfill/components/heat-strip.tsx';
import { Ledger } from '../features/backfill/components/ledger.tsx';
import { createdLine, endedLine, Notices } from '../features/backfill/components/notices.tsx';
import { ProgressFigures } from '../features/backfill/components/progress-figures.tsx';
import { Proof } from '../features/backfill/components/proof.tsx';
import { StartsAt } from '../features/backfill/components/starts-at.tsx';
import { StateBadge } from '../features/backfill/components/state-badge.tsx';
import { ThrottlePanel } from '../features/backfill/components/throttle-panel.tsx';
import { focusThrottle, VerbBar } from '../features/backfill/components/verb-bar.tsx';
import { MomentProvider } from '../features/past/components/moment-provider.tsx';
import { usePast } from '../features/past/components/past-context.ts';
import { backfillAt } from '../features/past/model/backfill-at.ts';
import { pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { parseDurationMs } from '../lib/duration.ts';
import { formatSpan } from '../lib/format.ts';
import { ProblemError } from '../lib/http.ts';
import { formatWindow, plainTimes } from '../lib/instant.ts';
import { patiently } from '../lib/patiently.ts';
import { useIdle } from '../lib/use-idle.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './backfill.module.css';

/** Fetched once the screen is shown and has nothing else to do: how it goes is asked before what it costs. */
const BackfillCostPanel = lazy(() =>
  patiently(() => import('../features/cost/components/backfill-cost.tsx')).then((module) => ({
    default: module.BackfillCostPanel,
  })),
);

/** Fetched where something has failed. */
const FailedSubwindows = lazy(() =>
  patiently(() => import('../features/backfill/components/failed-subwindows.tsx')).then((module) => ({
    default: module.FailedSubwindows,
  })),
);

/** Fetched where something is set aside. */
const Quarantine = lazy(() =>
  patiently(() => import('../features/backfill/components/quarantine.tsx')).then((module) => ({
    default: module.Quarantine,
  })),
);

const costPlace = <Skeleton height={320} radius={12} />;

const route = getRouteApi('/room/backfills/$backfillId');

/** One backfill: how far, how fast and why, and whether it is proven. */
export function BackfillPage() {
  const { backfillId } = route.useParams();
  useTitle(backfillId);
  const queryClient = useQueryClient();
  const found = useQuery(backfillQuery(backfillId));
  const state = found.data?.state;

  // A change of state is an audit entry, a ledger line, a last look at the strip: these are read again with it. The first state is none.
  const seen = useRef<{ readonly id: string; readonly state: Backfill['state'] } | null>(null);
  useEffect(() => {
    if (state === undefined) return;
    const before = seen.current;
    seen.current = { id: backfillId, state };
    if (before?.id !== backfillId || before.state === state) return;
    for (const part of ['audit', 'ledger', 'bins', 'failed-subwindows', 'quarantine'])
      void queryClient.invalidateQueries({ queryKey: backfillKeys.part(backfillId, part) });
  }, [backfillId, queryClient, state]);

  const loaded = found.data !== undefined;
  useEffect(() => {
    if (loaded && window.location.hash === '#throttle') focusThrottle();
  }, [loaded]);

  if (found.isPending) return <PagePending />;
  if (found.isLoadingError) {
    if (found.error instanceof ProblemError && found.error.status === 404) {
      return (
        <Empty
          heading="h1"
          title={`There is no backfill ${backfillId}`}
          action={<Link to="/backfills">See all backfills</Link>}
        >
          The address may have been mistyped.
        </Empty>
      );
    }
    return (
      <Failed
        heading="h1"
        what={`Backfill ${backfillId}`}
        error={found.error}
        onRetry={() => void found.refetch()}
      />
    );
  }
  // Of a pipeline that has been removed there is no past to look at.
  if (nameOfRemoved(found.data.pipelineId) !== null) return <BackfillOf backfill={found.data} />;
  return (
    <MomentProvider pipelineId={found.data.pipelineId}>
      <BackfillThen present={found.data} />
    </MomentProvider>
  );
}

/** As it is, or as it was at the moment that is looked at. */
function BackfillThen({ present }: { readonly present: Backfill }) {
  const past = usePast();
  if (past === null) return <BackfillOf backfill={present} />;
  if (past.moment === null) return <PagePending />;
  const was = backfillAt(present, past.moment);
  return typeof was === 'string' ? (
    <Empty heading="h1" title={`${present.id} at this moment: unknown`}>
      {was}
    </Empty>
  ) : (
    <BackfillOf backfill={was} />
  );
}

function BackfillOf({ backfill }: { readonly backfill: Backfill }) {
  const past = usePast();
  const idle = useIdle();
  const stale = useStale();
  const { data: pipelines } = useQuery(pipelinesQuery);
  const pipeline = pipelines?.find(({ id }) => id === backfill.pipelineId);
  const removed = nameOfRemoved(backfill.pipelineId);
  const over = backfill.endedAt !== null || backfill.state === 'verifying';

  return (
    <Column>
      <PageHead
        title={backfill.id}
        crumb={<Link to="/backfills">Backfills</Link>}
        beside={
          <>
            <StateBadge state={backfill.state} size="large" />
            <span className={styles.start}>
              <StartsAt backfill={backfill} />
            </span>
          </>
        }
        about={[
          formatWindow(backfill.window),
          backfill.sourceIds.join(', '),
          `subwindows of ${formatSpan(parseDurationMs(backfill.subwindow))}`,
          ...(backfill.isolated ? ['only on isolated workers'] : []),
          ...(removed === null ? [] : [`of the pipeline ${removed}, which has been removed`]),
          createdLine(backfill),
          ...[endedLine(backfill) ?? []].flat(),
        ].join(' · ')}
        aside={<VerbBar key={backfill.id} backfill={backfill} />}
        stale={stale}
      >
        {backfill.reason === null ? null : <p className={styles.reason}>{plainTimes(backfill.reason)}</p>}
      </PageHead>
      <Notices backfill={backfill} />
      <Panel title="Progress">
        <ProgressFigures backfill={backfill} stale={stale} />
      </Panel>
      {past === null ? (
        <Panel title="Subwindows" hint="Each source in event time">
          <HeatStrip backfill={backfill} />
        </Panel>
      ) : null}
      {backfill.state === 'failed' && past === null ? (
        <Suspense fallback={<Skeleton height={140} radius={12} />}>
          <FailedSubwindows backfill={backfill} />
        </Suspense>
      ) : null}
      {backfill.progress.eventsQuarantined > 0 && past === null ? (
        <Suspense fallback={<Skeleton height={140} radius={12} />}>
          <Quarantine backfill={backfill} />
        </Suspense>
      ) : null}
      {past === null ? (
        <Pair split="major">
          <Column>
            <ThrottlePanel key={backfill.id} backfill={backfill} pipeline={pipeline} />
            {idle ? (
              <Suspense fallback={costPlace}>
                <BackfillCostPanel
                  backfill={backfill}
                  currency={pipeline?.priceBook?.currency ?? null}
                  stale={stale}
                />
              </Suspense>
            ) : (
              costPlace
            )}
          </Column>
          <Column>
            <CeilingsPanel backfill={backfill} stale={stale} />
            {/* Once it is over, whether it is proven is the first question. */}
            {over ? <ProofPanel backfill={backfill} /> : null}
            <Panel title="Ledger" hint="Time each reason has held this run back">
              <Ledger backfill={backfill} />
            </Panel>
            {over ? null : <ProofPanel backfill={backfill} />}
            <AuditTrail backfill={backfill} />
          </Column>
        </Pair>
      ) : (
        <Pair split="major">
          <Column>
            <CeilingsPanel backfill={backfill} stale={stale} />
            <Panel title="Not recorded">
              <p>
                Subwindows, ledger and cost by item are not recorded from second to second, and what they are
                now would not be true of then.
              </p>
            </Panel>
          </Column>
          <Column>
            <ProofPanel backfill={backfill} />
            <AuditTrail backfill={backfill} />
          </Column>
        </Pair>
      )}
    </Column>
  );
}

function CeilingsPanel({ backfill, stale }: { readonly backfill: Backfill; readonly stale: boolean }) {
  if (backfill.endedAt !== null) return null;
  return (
    <Panel title="Rate and ceilings" hint="Why it goes at the speed it goes" stale={stale}>
      <Ceilings backfill={backfill} />
    </Panel>
  );
}

function ProofPanel({ backfill }: { readonly backfill: Backfill }) {
  return (
    <Panel title="Proof" hint="The source read again, against the store">
      <Proof backfill={backfill} />
    </Panel>
  );
}
