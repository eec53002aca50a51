import { SegmentedControl, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { formatRate } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import { useSeen } from '../../../lib/use-seen.ts';
import { useWidth } from '../../../lib/use-width.ts';
import { historyQuery } from '../api/get-telemetry.ts';
import { describeMarker } from '../model/markers.ts';
import { binSeries } from '../model/series.ts';
import { Legend } from './legend.tsx';
import { useLive, useLiveStore } from './live-context.ts';
import { ThroughputChart } from './throughput-chart.tsx';
import styles from './throughput-panel.module.css';

const ranges = [
  { label: '3 min', value: '180000' },
  { label: '15 min', value: '900000' },
  { label: '1 h', value: '3600000' },
];
const metrics = ['liveEventsPerSecond', 'replayEventsPerSecond', 'grantedEventsPerSecond'] as const;
const chartHeightPx = 260;

/** Live and replay throughput, what replay was granted, and who did what when. */
export function ThroughputPanel({
  pipelineId,
  stale,
}: {
  readonly pipelineId: string;
  readonly stale: boolean;
}) {
  const store = useLiveStore();
  const { version, pipelines } = useLive();
  const live = pipelines[pipelineId];
  const [range, setRange] = useState('180000');
  const rangeMs = Number(range);
  const [seenRef, seen] = useSeen<HTMLDivElement>();
  const [widthRef, width] = useWidth<HTMLDivElement>();

  const history = useQuery(historyQuery({ pipelineId, rangeMs, step: rangeMs > 900_000 ? 'PT10S' : 'PT1S' }));
  useEffect(() => {
    if (history.data === undefined) return;
    store.receiveHistory(pipelineId, history.data);
    store.flush();
  }, [history.data, pipelineId, store]);

  const ring = live?.ring;
  const newestMs = ring?.newestMs ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ring changes in place; `version` says when.
  const rows = useMemo(
    () =>
      ring === undefined || newestMs === null || !seen ? [] : binSeries(ring, metrics, newestMs, rangeMs),
    [ring, newestMs, rangeMs, seen, version],
  );
  const fromMs = newestMs === null ? 0 : newestMs - rangeMs;
  const markers = (live?.markers ?? []).filter((marker) => Date.parse(marker.at) >= fromMs);
  const latest = live?.values ?? {};

  return (
    <Panel
      title="Throughput"
      hint="Applied events per second; times are UTC"
      aside={
        <SegmentedControl
          size="xs"
          data={ranges}
          value={range}
          onChange={setRange}
          aria-label="Time range of the chart"
        />
      }
    >
      <div ref={seenRef} className={styles.content} data-stale={stale || undefined}>
        <Legend
          items={[
            { name: 'Live', tone: 'live', value: formatRate(latest['liveEventsPerSecond']) },
            { name: 'Replay', tone: 'replay', value: formatRate(latest['replayEventsPerSecond']) },
            { name: 'Replay granted', tone: 'limit', value: formatRate(latest['grantedEventsPerSecond']) },
          ]}
        />
        <div ref={widthRef} className={styles.frame} style={{ height: chartHeightPx }}>
          {history.isError && newestMs === null ? (
            <Failed
              what="The recorded telemetry"
              error={history.error}
              onRetry={() => void history.refetch()}
            />
          ) : newestMs === null ? (
            history.isPending ? (
              <Skeleton height={chartHeightPx} />
            ) : (
              <Empty title="No telemetry yet">
                The workers report once a second as soon as they have joined.
              </Empty>
            )
          ) : seen && width > 0 ? (
            <ThroughputChart
              rows={rows}
              width={width}
              height={chartHeightPx}
              fromMs={fromMs}
              toMs={newestMs}
              markers={markers}
            />
          ) : null}
        </div>
        {markers.length === 0 ? null : (
          <ul className={styles.markers} aria-label="Who did what">
            {markers
              .slice(-4)
              .reverse()
              .map((marker) => (
                <li key={`${marker.at}${marker.action}${marker.backfillId}`}>
                  <time dateTime={marker.at}>{formatClock(marker.at)}</time> {describeMarker(marker)}
                </li>
              ))}
          </ul>
        )}
      </div>
    </Panel>
  );
}
