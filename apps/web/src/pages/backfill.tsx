import { Skeleton } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { backfillQuery } from '../features/backfill/api/get-backfill.ts';
import { backfillKeys } from '../features/backfill/api/keys.ts';
import { AuditTrail } from '../features/backfill/components/audit-trail.tsx';
import { Ceilings } from '../features/backfill/components/ceilings.tsx';
import { HeatStrip } from '../features/backfill/components/heat-strip.tsx';
import { Ledger } from '../features/backfill/components/ledger.tsx';
import { createdLine, FailedSubwindows, Notices } from '../features/backfill/components/notices.tsx';
import { ProgressFigures } from '../features/backfill/components/progress-figures.tsx';
import { Proof } from '../features/backfill/components/proof.tsx';
import { StartsAt } from '../features/backfill/components/starts-at.tsx';
import { StateBadge } from '../features/backfill/components/state-badge.tsx';
import { ThrottlePanel } from '../features/backfill/components/throttle-panel.tsx';
import { focusThrottle, VerbBar } from '../features/backfill/components/verb-bar.tsx';
import { pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { ProblemError } from '../lib/http.ts';
import { formatWindow, plainTimes } from '../lib/instant.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './backfill.module.css';

/** Fetched once the screen is shown: how it goes is asked before what it costs. */
const BackfillCostPanel = lazy(() =>
  import('../features/cost/components/backfill-cost.tsx').then((module) => ({
    default: module.BackfillCostPanel,
  })),
);

const route = getRouteApi('/room/backfills/$backfillId');

/** One backfill: how far, how fast and why, and whether it is proven. */
export function BackfillPage() {
  const { backfillId } = route.useParams();
  useTitle(backfillId);
  const queryClient = useQueryClient();
  const stale = useStale();
  const found = useQuery(backfillQuery(backfillId));
  const { data: pipelines } = useQuery(pipelinesQuery);
  const state = found.data?.state;

  // A change of state is an audit entry, a ledger line, a last look at the strip: these are read again with it.
  useEffect(() => {
    if (state === undefined) return;
    for (const part of ['audit', 'ledger', 'bins', 'failed-subwindows'])
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
          title={`There is no backfill ${backfillId}`}
          action={<Link to="/backfills">See all backfills</Link>}
        >
          The address may have been mistyped.
        </Empty>
      );
    }
    return (
      <Failed what={`Backfill ${backfillId}`} error={found.error} onRetry={() => void found.refetch()} />
    );
  }
  const backfill = found.data;
  const pipeline = pipelines?.find(({ id }) => id === backfill.pipelineId);

  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.what}>
          <nav aria-label="Breadcrumb" className={styles.crumb}>
            <Link to="/backfills">Backfills</Link>
          </nav>
          <div className={styles.title} data-stale={stale || undefined}>
            <h1>{backfill.id}</h1>
            <StateBadge state={backfill.state} size="large" />
            <span className={styles.start}>
              <StartsAt backfill={backfill} />
            </span>
          </div>
          {backfill.reason === null ? null : <p className={styles.reason}>{plainTimes(backfill.reason)}</p>}
          <p className={styles.soft}>
            {formatWindow(backfill.window)} · {backfill.sourceIds.join(', ')} · subwindows of{' '}
            {backfill.subwindow} · {createdLine(backfill)}
          </p>
        </div>
        <VerbBar backfill={backfill} />
      </header>
      <Notices backfill={backfill} />
      <Panel title="Progress">
        <ProgressFigures backfill={backfill} stale={stale} />
      </Panel>
      <Panel title="Subwindows" hint="Each source in event time">
        <HeatStrip backfill={backfill} />
      </Panel>
      {backfill.state === 'failed' ? <FailedSubwindows backfill={backfill} /> : null}
      <div className={styles.pair}>
        <div className={styles.column}>
          {backfill.allowedActions.includes('throttle') ? (
            <ThrottlePanel backfill={backfill} pipeline={pipeline} />
          ) : null}
          <Suspense fallback={<Skeleton height={320} radius={12} />}>
            <BackfillCostPanel
              backfill={backfill}
              currency={pipeline?.priceBook?.currency ?? null}
              stale={stale}
            />
          </Suspense>
        </div>
        <div className={styles.column}>
          {backfill.endedAt === null ? (
            <Panel title="Rate and ceilings" hint="Why it goes at the speed it goes" stale={stale}>
              <Ceilings backfill={backfill} />
            </Panel>
          ) : null}
          <Panel title="Ledger" hint="Time each reason has held this run back">
            <Ledger backfill={backfill} />
          </Panel>
          <Panel title="Proof" hint="The source read again, against the store">
            <Proof backfill={backfill} />
          </Panel>
          <AuditTrail backfill={backfill} />
        </div>
      </div>
    </div>
  );
}
