import { Skeleton } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { activeStates } from '@spillway/shared/backfill/state-machine';
import { useQuery } from '@tanstack/react-query';
import { memo } from 'react';
import { Failed } from '../../../components/failed.tsx';
import { formatRatio } from '../../../lib/format.ts';
import { formatInstant } from '../../../lib/instant.ts';
import { Legend } from '../../telemetry/components/legend.tsx';
import { subwindowBinsQuery } from '../api/get-subwindow-bins.ts';
import { lanePaths, laneShare } from '../model/heat-strip.ts';
import styles from './heat-strip.module.css';

const bins = 240;
const viewWidth = 960;
const laneHeight = 22;

/** Every subwindow of every source, in event time: what is done, what is being read, what failed. */
export function HeatStrip({ backfill }: { readonly backfill: Backfill }) {
  const strip = useQuery(subwindowBinsQuery(backfill.id, bins, activeStates.includes(backfill.state)));
  if (strip.isPending) return <Skeleton height={120} />;
  if (strip.isLoadingError)
    return <Failed what="The subwindows" error={strip.error} onRetry={() => void strip.refetch()} />;
  const { window, lanes } = strip.data;
  const middle = new Date((Date.parse(window.from) + Date.parse(window.to)) / 2).toISOString();
  return (
    <>
      <Legend
        items={[
          { name: 'done', tone: 'replay' },
          { name: 'being read or applied', tone: 'quiet' },
          { name: 'failed', tone: 'bad' },
          { name: 'pending', tone: 'pending' },
        ]}
      />
      <div className={styles.lanes}>
        {lanes.map((lane) => (
          <LaneRow key={lane.sourceId} lane={lane} />
        ))}
      </div>
      <div className={styles.axis} aria-hidden>
        <span>{formatInstant(window.from)}</span>
        <span>{formatInstant(middle)}</span>
        <span>{formatInstant(window.to)} UTC</span>
      </div>
    </>
  );
}

type Lane = Parameters<typeof lanePaths>[0];

const LaneRow = memo(function LaneRow({ lane }: { readonly lane: Lane }) {
  const paths = lanePaths(lane, viewWidth, laneHeight);
  const done = laneShare(lane.done);
  const failed = laneShare(lane.failed);
  return (
    <div className={styles.lane}>
      <span className={styles.name}>{lane.sourceId}</span>
      <svg
        className={styles.strip}
        viewBox={`0 0 ${viewWidth} ${laneHeight}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${lane.sourceId}: ${formatRatio(done)} done${failed > 0 ? `, ${formatRatio(failed)} failed` : ''}`}
      >
        <path d={paths.done} className={styles.done} />
        <path d={paths.active} className={styles.active} />
        <path d={paths.failed} className={styles.failed} />
      </svg>
      <span className={styles.share}>{formatRatio(done)}</span>
    </div>
  );
});
