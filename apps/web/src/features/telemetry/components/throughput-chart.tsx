import { memo } from 'react';
import { CartesianGrid, ComposedChart, Line, ReferenceLine, XAxis, YAxis } from 'recharts';
import { formatCompact } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import type { MarkerEntry } from '../model/live-store.ts';
import { type Row, timeTicks, valueTicks } from '../model/series.ts';

interface ThroughputChartProps {
  readonly rows: readonly Row[];
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly markers: readonly MarkerEntry[];
}

const margin = { top: 8, right: 8, bottom: 0, left: 0 };
const tick = { fill: 'var(--sw-ink-soft)', fontSize: 12 };

// Elements that never change are made once: Recharts compares them by identity, and a tick redraws only the paths.
const grid = <CartesianGrid vertical={false} stroke="var(--sw-line)" />;
const granted = (
  <Line
    dataKey="grantedEventsPerSecond"
    type="linear"
    stroke="var(--sw-ink-soft)"
    strokeDasharray="5 4"
    strokeWidth={1.5}
    dot={false}
    activeDot={false}
    isAnimationActive={false}
  />
);
const replay = (
  <Line
    dataKey="replayEventsPerSecond"
    type="linear"
    stroke="var(--sw-replay-fill)"
    strokeWidth={2}
    dot={false}
    activeDot={false}
    isAnimationActive={false}
  />
);
const live = (
  <Line
    dataKey="liveEventsPerSecond"
    type="linear"
    stroke="var(--sw-live-fill)"
    strokeWidth={2.5}
    dot={false}
    activeDot={false}
    isAnimationActive={false}
  />
);

/** Tuned for one redraw a second: no animation, no dots, numeric axes with explicit ticks, a fixed size. */
export const ThroughputChart = memo(function ThroughputChart({
  rows,
  width,
  height,
  fromMs,
  toMs,
  markers,
}: ThroughputChartProps) {
  const values = valueTicks(highest(rows));
  const times = timeTicks(fromMs, toMs, width < 480 ? 3 : 6);
  const shortTimes = toMs - fromMs > 600_000;
  return (
    <ComposedChart
      data={rows as Row[]}
      width={width}
      height={height}
      margin={margin}
      accessibilityLayer={false}
      role="img"
      aria-label="Live and replay throughput over time; the newest values stand in the legend above"
    >
      {grid}
      <XAxis
        dataKey="at"
        type="number"
        scale="time"
        domain={[fromMs, toMs]}
        ticks={times}
        interval={0}
        tickFormatter={(at: number) => (shortTimes ? formatClock(at).slice(0, 5) : formatClock(at))}
        tick={tick}
        stroke="var(--sw-line-strong)"
        tickLine={false}
        allowDataOverflow
      />
      <YAxis
        width={48}
        domain={[0, values.at(-1) ?? 1]}
        ticks={values}
        interval={0}
        tickFormatter={formatCompact}
        tick={tick}
        axisLine={false}
        tickLine={false}
      />
      {markers.map((marker) => (
        <ReferenceLine
          key={`${marker.at}${marker.action}${marker.backfillId}`}
          x={Date.parse(marker.at)}
          stroke="var(--sw-warn-fill)"
          strokeDasharray="2 3"
          strokeWidth={1.5}
        />
      ))}
      {granted}
      {replay}
      {live}
    </ComposedChart>
  );
});

function highest(rows: readonly Row[]): number {
  let max = 0;
  for (const { at: _at, ...values } of rows)
    for (const value of Object.values(values)) if (value !== null && value > max) max = value;
  return max;
}
