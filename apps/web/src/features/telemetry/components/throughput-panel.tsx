import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { Panel } from '../../../components/panel.tsx';
import { formatRate } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import { describeMarker } from '../model/markers.ts';
import { Legend } from './legend.tsx';
import type { ChartLine } from './line-chart.tsx';
import { useLivePipeline } from './live-context.ts';
import { RecordedChart } from './recorded-chart.tsx';
import styles from './throughput-panel.module.css';
import { useRecorded } from './use-recorded.ts';

const ranges = [
  { label: '3 min', value: '180000' },
  { label: '15 min', value: '900000' },
  { label: '1 h', value: '3600000' },
];
const lines: readonly ChartLine[] = [
  { metric: 'grantedEventsPerSecond', tone: 'limit' },
  { metric: 'replayEventsPerSecond', tone: 'replay' },
  { metric: 'liveEventsPerSecond', tone: 'live' },
];
const metrics = lines.map(({ metric }) => metric);

/** Live and replay throughput, what replay was granted, and who did what when. */
export function ThroughputPanel({
  pipelineId,
  stale,
}: {
  readonly pipelineId: string;
  readonly stale: boolean;
}) {
  const live = useLivePipeline(pipelineId);
  const [range, setRange] = useState('180000');
  const rangeMs = Number(range);
  const recorded = useRecorded(pipelineId, metrics, rangeMs);
  const { markers } = recorded;
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
      <div ref={recorded.seenRef} className={styles.content} data-stale={stale || undefined}>
        <Legend
          items={[
            { name: 'Live', tone: 'live', value: formatRate(latest['liveEventsPerSecond']) },
            { name: 'Replay', tone: 'replay', value: formatRate(latest['replayEventsPerSecond']) },
            { name: 'Replay granted', tone: 'limit', value: formatRate(latest['grantedEventsPerSecond']) },
          ]}
        />
        <RecordedChart
          recorded={recorded}
          lines={lines}
          label="Live and replay throughput over time; the newest values stand in the legend above"
          markers={markers}
        />
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
