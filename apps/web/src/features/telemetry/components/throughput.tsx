import { SegmentedControl } from '@mantine/core';
import { formatRate } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import { describeMarker } from '../model/markers.ts';
import { Legend } from './legend.tsx';
import type { ChartLine } from './line-chart.tsx';
import { useLivePipeline } from './live-context.ts';
import { RecordedChart } from './recorded-chart.tsx';
import styles from './throughput.module.css';
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

export function RangeChoice({
  rangeMs,
  onChoose,
}: {
  readonly rangeMs: number;
  readonly onChoose: (rangeMs: number) => void;
}) {
  return (
    <SegmentedControl
      size="xs"
      data={ranges}
      value={String(rangeMs)}
      onChange={(value) => onChoose(Number(value))}
      aria-label="Time range of the chart"
    />
  );
}

/** See `ThroughputPanel`. */
export function Throughput({
  pipelineId,
  rangeMs,
  stale,
}: {
  readonly pipelineId: string;
  readonly rangeMs: number;
  readonly stale: boolean;
}) {
  const live = useLivePipeline(pipelineId);
  const recorded = useRecorded(pipelineId, metrics, rangeMs);
  const { markers } = recorded;
  const latest = live?.values ?? {};

  return (
    <div ref={recorded.seenRef} className={styles.content} data-stale={stale || undefined}>
      <Legend
        items={[
          { name: 'Live', tone: 'live', value: formatRate(latest['liveEventsPerSecond']) },
          {
            name: live?.replay?.of === 'published' ? 'Replay, finished' : 'Replay',
            tone: 'replay',
            value: formatRate(latest['replayEventsPerSecond']),
          },
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
  );
}
