import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { Panel } from '../../../components/panel.tsx';
import { formatCompact, formatMs } from '../../../lib/format.ts';
import { Legend, type LegendItem } from '../../telemetry/components/legend.tsx';
import { RecordedChart } from '../../telemetry/components/recorded-chart.tsx';
import { useRecorded } from '../../telemetry/components/use-recorded.ts';
import {
  chartLines,
  chartWords,
  entriesText,
  linesFor,
  type Stream,
  streamOf,
} from '../model/stream-words.ts';
import styles from './streams-chart.module.css';

const ranges = [
  { label: '3 min', value: '180000' },
  { label: '15 min', value: '900000' },
  { label: '1 h', value: '3600000' },
];
const views = [
  { label: 'With mark', value: 'mark' },
  { label: 'Close up', value: 'close' },
  { label: 'Lag in time', value: 'time' },
];
const metrics = [...chartLines.entries, ...chartLines.time].map(({ metric }) => metric);

/** How long the streams were against the mark, and how far behind their consumers, over the last minutes. */
export function StreamsChart({
  pipelineId,
  streams,
  highWaterMark,
  stale,
}: {
  readonly pipelineId: string;
  readonly streams: readonly Stream[];
  readonly highWaterMark: number;
  readonly stale: boolean;
}) {
  const [range, setRange] = useState('180000');
  const [view, setView] = useState('mark');
  const recorded = useRecorded(pipelineId, metrics, Number(range));
  const inTime = view === 'time';
  const words = chartWords(inTime ? 'time' : 'entries', streams);
  const lines = linesFor(inTime ? 'time' : 'entries', streams);
  const legend = lines.map((line): LegendItem => {
    const stream = streamOf(line, streams);
    const shape = line.dotted ? { dotted: true as const } : {};
    return { name: line.name, tone: line.tone, ...shape, ...(stream ? { value: line.value(stream) } : {}) };
  });
  return (
    <Panel
      title={words.title}
      hint={`${words.hint}; times are UTC`}
      aside={
        <div className={styles.controls}>
          <SegmentedControl
            size="xs"
            data={views}
            value={view}
            onChange={setView}
            aria-label="What the chart shows"
          />
          <SegmentedControl
            size="xs"
            data={ranges}
            value={range}
            onChange={setRange}
            aria-label="Time range of the chart"
          />
        </div>
      }
      stale={stale}
    >
      <div ref={recorded.seenRef}>
        <Legend
          items={
            view === 'mark'
              ? [...legend, { name: 'High-water mark', tone: 'limit', value: entriesText(highWaterMark) }]
              : legend
          }
        />
        <RecordedChart
          recorded={recorded}
          lines={lines}
          label={`${words.label} over the last minutes; the newest values stand in the legend above`}
          markers={none}
          format={inTime ? formatMs : formatCompact}
          {...(view === 'mark' ? { mark: highWaterMark } : {})}
        />
      </div>
    </Panel>
  );
}

/** Who did what is told on Now. */
const none: readonly never[] = [];
