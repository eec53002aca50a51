import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense } from 'react';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { isoInstant } from '../../../lib/instant.ts';
import { usePainted } from '../../../lib/use-painted.ts';
import { timeWords } from '../model/bar-words.ts';
import { momentMs } from '../model/past-search.ts';
import styles from './past.module.css';
import { PastContext } from './past-context.ts';
import { type PastMoment, usePastMoment } from './use-past-moment.ts';

/** Fetched once the screen is shown: whether live is safe is asked before what has been. */
const TimeBar = lazy(() => import('./time-bar.tsx').then((module) => ({ default: module.TimeBar })));
const PastBand = lazy(() => import('./past-band.tsx').then((module) => ({ default: module.PastBand })));

/**
 * A screen about one pipeline, now or at the moment that the address names (`?at=`), with the bar to choose it by. What it shows is the same
 * screen, mounted once: a range that was chosen for a chart stays chosen.
 */
export function MomentProvider({
  pipelineId,
  children,
}: {
  readonly pipelineId: string;
  readonly children: ReactNode;
}) {
  const { at } = useSearch({ strict: false }) as { at?: string };
  const navigate = useNavigate();
  const seek = (to: number | null) =>
    void navigate({
      to: '.',
      search: (before) => ({ ...before, at: to === null ? undefined : isoInstant(to) }),
      hash: true,
      // The first step into the past can be taken back with the browser's own button; scrubbing leaves no trail.
      replace: at !== undefined && to !== null,
      resetScroll: false,
    });
  const atMs = at === undefined ? null : momentMs(at);
  const found = usePastMoment(pipelineId, atMs);
  const past = atMs !== null && found.kind === 'shown' ? found.past : null;
  const live = at === undefined;
  const painted = usePainted();
  return (
    <div className={styles.frame}>
      {live ? null : (
        <Suspense fallback={<div className={styles.bandPlace} />}>
          <PastBand atMs={atMs} step={past?.moment?.step ?? null} onLive={() => seek(null)} />
        </Suspense>
      )}
      {live || past !== null ? (
        <PastContext value={past}>
          <div className={styles.screen}>{children}</div>
        </PastContext>
      ) : atMs === null ? (
        <Empty heading="h1" title={`“${at.slice(0, 40)}” is not a time`}>
          A moment is written like 2026-01-31T14:03:21Z, in UTC. The time bar below chooses one.
        </Empty>
      ) : found.kind === 'shown' ? null : (
        <NotShown found={found} atMs={atMs} />
      )}
      {painted ? (
        <Suspense fallback={<div className={styles.place} />}>
          <TimeBar key={pipelineId} pipelineId={pipelineId} atMs={atMs} onSeek={seek} />
        </Suspense>
      ) : (
        <div className={styles.place} />
      )}
    </div>
  );
}

/** Never the present in its place. */
function NotShown({
  found,
  atMs,
}: {
  readonly found: Exclude<PastMoment, { kind: 'shown' }>;
  readonly atMs: number;
}) {
  const time = timeWords(atMs, Date.now());
  if (found.kind === 'failed')
    return <Failed heading="h1" what="The recorded moment" error={found.error} onRetry={found.retry} />;
  return found.kind === 'future' ? (
    <Empty heading="h1" title={`${time} has not come yet`}>
      The time bar below ends with the present.
    </Empty>
  ) : (
    <Empty heading="h1" title={`Nothing was recorded at ${time}`}>
      Spillway was not running then, could not write, or it is longer ago than is kept. What was recorded is
      marked on the time bar below.
    </Empty>
  );
}
